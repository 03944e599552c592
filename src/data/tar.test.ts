import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { readTar } from './tar.ts'

const text = (value: string) => new TextEncoder().encode(value)

interface Entry {
  name: string
  content?: Uint8Array
  type?: string
  size?: string
  magic?: string
  prefix?: string
}

/** One entry as ustar writes it. */
function entry({
  name,
  content = new Uint8Array(),
  type = '0',
  size,
  magic = 'ustar\x0000',
  prefix = '',
}: Entry): Uint8Array {
  const header = new Uint8Array(512)
  header.set(text(name))
  header.set(text('0000644\0'), 100)
  header.set(text(size ?? `${content.length.toString(8).padStart(11, '0')}\0`), 124)
  header.set(text(type), 156)
  header.set(text(magic), 257)
  header.set(text(prefix), 345)
  return join(withChecksum(header), content, new Uint8Array((512 - (content.length % 512)) % 512))
}

function withChecksum(header: Uint8Array): Uint8Array {
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  return header
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

const END = new Uint8Array(1024)
const archive = (...entries: Entry[]) => join(...entries.map(entry), END)
const pax = (...records: string[]): Entry => ({ name: 'pax', type: 'x', content: text(records.join('')) })

describe('readTar', () => {
  it('reads regular files in order and passes over folders', () => {
    const files = readTar(
      archive(
        { name: 'b/', type: '5' },
        { name: './b/x.bin', content: Uint8Array.of(1, 2, 3) },
        { name: 'a', content: new Uint8Array(1025).fill(7) },
        { name: 'empty', type: '\0' },
        { name: 'tail', prefix: 'a/long/way' },
      ),
      't.tar',
    )
    expect([...files.keys()]).toEqual(['b/x.bin', 'a', 'empty', 'a/long/way/tail'])
    expect([...files.get('b/x.bin')!]).toEqual([1, 2, 3])
    expect(files.get('a')!.length).toBe(1025)
  })

  it('reads GNU long names and pax paths and sizes', () => {
    const long = `${'d/'.repeat(80)}ü.jpg`
    const gnu = { name: '././@LongLink', type: 'L', content: join(text(long), Uint8Array.of(0)), magic: 'ustar  \0' }
    expect([...readTar(archive(gnu, { name: 'cut', magic: 'ustar  \0' }), 't').keys()]).toEqual([long])
    const content = text('hi')
    const files = readTar(archive(pax('15 path=p/ä.x\n', '10 size=2\n'), { name: 'cut', content }), 't')
    expect([...files]).toEqual([['p/ä.x', content]])
  })

  it('reads what the system tar writes, in three formats', () => {
    for (const format of ['ustar', 'gnu', 'pax']) {
      const bytes = execFileSync('tar', ['-c', `--format=${format}`, 'package.json', 'src/error.ts', 'src/num'])
      const files = readTar(bytes, format)
      expect(files.get('package.json')!.length).toBeGreaterThan(100)
      expect(files.has('src/error.ts')).toBe(true)
    }
  })

  it('keeps path games as names', () => {
    expect([...readTar(archive({ name: '../../etc/passwd' }, { name: '__proto__' }), 't').keys()]).toEqual([
      '../../etc/passwd',
      '__proto__',
    ])
  })

  const good = archive({ name: 'a', content: new Uint8Array(600) })
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /cut off/],
    ['a text file', text('hello\n'.repeat(200)), /not a ustar/],
    ['a cut in the content', good.subarray(0, 900), /reaches past/],
    ['a missing end', good.subarray(0, 512 + 1024), /closing block/],
    ['bytes after the end', join(good, Uint8Array.of(1)), /bytes after its end/],
    ['a changed header', good.map((byte, i) => (i === 1 ? 66 : byte)), /checksum/],
    ['a size that is no number', archive({ name: 'a', size: '0000000xyz1\0' }), /not a number/],
    ['a size beyond the file', archive({ name: 'a', size: '77777777777\0' }), /reaches past/],
    ['a symbolic link', archive({ name: 'a', type: '2' }), /links and devices/],
    ['a hard link', archive({ name: 'a', type: '1' }), /links and devices/],
    ['a device', archive({ name: 'a', type: '3' }), /links and devices/],
    ['one name twice', archive({ name: 'a' }, { name: './a' }), /twice/],
    ['an empty name', archive({ name: '' }), /not a file name/],
    ['a pax header without a file', archive(pax('10 path=a\n')), /belongs to no file/],
    ['a pax header with a wrong length', archive(pax('11 path=a\n'), { name: 'a' }), /malformed/],
    ['a pax header with a zero length', archive(pax('0 path=a\n'), { name: 'a' }), /malformed/],
    ['a pax size that is no number', archive(pax('11 size=-1\n'), { name: 'a' }), /not a number/],
    ['a global path', archive({ ...pax('10 path=a\n'), type: 'g' }, { name: 'a' }), /global header/],
    ['a sparse file', archive(pax('22 GNU.sparse.major=1\n'), { name: 'a' }), /sparse/],
    ['a name that is not UTF-8', join(withChecksum(entry({ name: 'a' }).fill(0xff, 0, 4)), END), /not UTF-8/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readTar(bytes, 't.tar')).toThrow(message)
    expect(() => readTar(bytes, 't.tar')).toThrow(DyadicError)
  })

  it('never fails in another way, whatever bytes change', () => {
    const whole = archive(pax('10 path=b\n'), { name: 'a', content: text('xyz') }, { name: 'c/', type: '5' })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bytes = whole.slice(0, length)
        bytes[at] = value
        try {
          readTar(bytes, 't')
        } catch (error) {
          expect(error).toBeInstanceOf(DyadicError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
