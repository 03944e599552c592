import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { type NpyData, readNpy } from './npy.ts'

/** A file with the given header text, padded as NumPy pads it. */
function file(header: string, elements: ArrayBufferView, version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12
  const padded = header.padEnd(Math.ceil((start + header.length + 1) / 64) * 64 - start - 1) + '\n'
  const length =
    version === 1 ? [padded.length & 255, padded.length >> 8] : [padded.length & 255, padded.length >> 8, 0, 0]
  const body = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    version,
    0,
    ...length,
    ...new TextEncoder().encode(padded),
    ...body,
  ])
}

const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`

describe('readNpy', () => {
  it.each<[string, NpyData]>([
    ['|u1', Uint8Array.of(0, 255)],
    ['|i1', Int8Array.of(-128, 127)],
    ['<u2', Uint16Array.of(1, 65535)],
    ['<i2', Int16Array.of(-2, 3)],
    ['<i4', Int32Array.of(-70000, 70000)],
    ['<i8', BigInt64Array.of(-5n, 2n ** 40n)],
    ['<f4', Float32Array.of(0.25, -1)],
    ['<f8', Float64Array.of(0.1, 1e300)],
  ])('reads %s in versions 1 to 3', (descr, data) => {
    for (const version of [1, 2, 3])
      expect(readNpy(file(header(descr, '(2,)'), data, version), 'x')).toEqual({ shape: [2], data })
  })

  it('reads shapes of all ranks, and keys in any order', () => {
    const six = new Uint8Array(6)
    expect(readNpy(file(header('|u1', '(2, 3)'), six), 'x').shape).toEqual([2, 3])
    expect(readNpy(file(header('|u1', '(1,2,3,)'), six), 'x').shape).toEqual([1, 2, 3])
    expect(readNpy(file(header('|u1', '()'), new Uint8Array(1)), 'x').shape).toEqual([])
    expect(readNpy(file(header('|u1', '(0, 3)'), new Uint8Array()), 'x').shape).toEqual([0, 3])
    expect(readNpy(file(`{"shape": (6,), "fortran_order": False, "descr": "|u1"}`, six), 'x').shape).toEqual([6])
  })

  const two = Uint8Array.of(1, 2)
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /magic/],
    ['another file', new Uint8Array(200), /magic/],
    ['version 4', file(header('|u1', '(2,)'), two, 4), /4\.0/],
    ['a cut header', file(header('|u1', '(2,)'), two).subarray(0, 40), /cut off/],
    ['missing elements', file(header('|u1', '(3,)'), two), /needs 3 bytes, the file has 2/],
    ['surplus elements', file(header('|u1', '(1,)'), two), /needs 1 bytes/],
    ['a shape beyond any memory', file(header('<f8', `(${'999999999999999, '.repeat(30)})`), two), /needs/],
    ['big-endian numbers', file(header('>f4', '(2,)'), two), />f4/],
    ['objects', file(header('|O', '(2,)'), two), /\|O/],
    ['Fortran order', file(header('|u1', '(2,)', 'True'), two), /Fortran/],
    ['a negative size', file(header('|u1', '(-2,)'), two), /tuple/],
    ['a size that is no tuple', file(header('|u1', '(2)'), two), /tuple/],
    ['a missing key', file("{'descr': '|u1', 'shape': (2,)}", two), /exactly the keys/],
    [
      'an unknown key',
      file("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'x': True}", two),
      /exactly the keys/,
    ],
    ['a key twice', file("{'descr': '|u1', 'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", two), /twice/],
    ['a record type', file("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2,)}", two), /malformed/],
    ['an expression', file("{'descr': exit(), 'fortran_order': False, 'shape': (2,)}", two), /malformed/],
    ['no dictionary', file('hello', two), /dictionary/],
    [
      'a shape in the place of the type',
      file("{'descr': (2,), 'fortran_order': False, 'shape': (2,)}", two),
      /wrong kind/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readNpy(bytes, 'x')).toThrow(message)
    expect(() => readNpy(bytes, 'x')).toThrow(DyadicError)
  })

  it('never fails in another way, whatever byte changes', () => {
    const whole = file(header('<f4', '(2, 1)'), Float32Array.of(1, 2))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bytes = whole.slice(0, length)
        bytes[at] = value
        try {
          readNpy(bytes, 'x')
        } catch (error) {
          expect(error).toBeInstanceOf(DyadicError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
