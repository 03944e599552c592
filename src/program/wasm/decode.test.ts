import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { decodeModule, HEADER } from './decode.ts'
import { encodeCustomSection, encodeModule, encodeSection } from './encode.ts'

const { parseWat } = await wabt()
const assemble = (text: string) => parseWat('test.wat', text, { simd: true, multi_value: true }).toBinary({}).buffer

/** A file of the header and sections given as [id, ...content]. */
const file = (...sections: number[][]) =>
  Uint8Array.from([
    ...HEADER,
    ...sections.flatMap(([id, ...content]) => [...encodeSection(id, Uint8Array.from(content))]),
  ])

describe('decodeModule', () => {
  it('reads every section', () => {
    const module = decodeModule(
      assemble(`(module (type (func (param i32 v128) (result f64))) (import "m" "f" (func (type 0)))
        (import "env" "memory" (memory 2 5)) (import "m" "t" (table 1 funcref)) (import "m" "g" (global (mut f32)))
        (global $a i64 (i64.const -7)) (global (mut v128) (v128.const i32x4 1 2 3 4))
        (func $h (local i32 i32 f64) nop) (func $start) (start $start)
        (export "h" (func $h)) (export "mem" (memory 0)) (export "\\c3\\a9" (global $a))
        (data (i32.const 65535) "ab") (data (global.get 0) "c"))`),
    )
    expect(module.sections.map(({ name }) => name)).toEqual(
      'type import function global export start code data'.split(' '),
    )
    expect(module.types).toEqual([
      { parameters: ['i32', 'v128'], results: ['f64'] },
      { parameters: [], results: [] },
    ])
    expect(module.imports.map(({ module: from, name, kind, limits }) => [from, name, kind, limits?.maximum])).toEqual([
      ['m', 'f', 'function', undefined],
      ['env', 'memory', 'memory', 5],
      ['m', 't', 'table', undefined],
      ['m', 'g', 'global', undefined],
    ])
    expect(module.globals.map(({ type, mutable, initial }) => [type, mutable, initial.operands.length])).toEqual([
      ['i64', false, 1],
      ['v128', true, 16],
    ])
    expect(module.bodies.map(({ type, locals }) => [type, locals])).toEqual([
      [
        1,
        [
          { count: 2, type: 'i32' },
          { count: 1, type: 'f64' },
        ],
      ],
      [1, []],
    ])
    expect(module.exports).toEqual([
      { name: 'h', kind: 'function', index: 1 },
      { name: 'mem', kind: 'memory', index: 0 },
      { name: 'é', kind: 'global', index: 1 },
    ])
    expect(module.start).toBe(2)
    expect(module.data.map(({ offset, bytes }) => [offset, ...bytes])).toEqual([
      [65535, 97, 98],
      [undefined, 99],
    ])
  })

  it('reads what the encoder writes', () => {
    const bytes = encodeModule({
      types: [{ parameters: [], results: [] }],
      functions: [{ type: 0, body: Uint8Array.of(0, 0x0b) }],
      pages: 65536,
      globals: [{ type: 'i32', mutable: true, initial: Uint8Array.of(0x41, 5) }],
      exports: [{ name: 'run', kind: 'function', index: 0 }],
      start: 0,
      data: [{ offset: 2 ** 32 - 4, chunks: [Uint8Array.of(1, 2), Uint8Array.of(3)] }],
      customSections: [{ name: 'note', bytes: Uint8Array.of(9) }],
    })
    const module = decodeModule(bytes)
    expect(module.memories).toEqual([{ minimum: 65536, maximum: 65536 }])
    expect(module.data.map(({ offset, bytes: data }) => [offset, ...data])).toEqual([[2 ** 32 - 4, 1, 2, 3]])
    expect(module.globals.map(({ initial }) => initial.operands)).toEqual([[5]])
    const note = module.sections.at(-1)
    expect([note?.id, note?.name, [...bytes.subarray(note?.content, note?.end)]]).toEqual([0, 'note', [9]])
    expect(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)).toBe(true)
  })

  it.each([
    ['an empty file', new Uint8Array(), 'not the WebAssembly header at byte 0'],
    ['another version', Uint8Array.from([...HEADER.slice(0, 4), 2, 0, 0, 0]), 'not the WebAssembly header at byte 4'],
    ['an unknown section', file([13, 0]), 'section id 13 at byte 8'],
    ['a section twice', file([1, 0], [1, 0]), 'a type section out of order or twice at byte 11'],
    ['sections out of order', file([3, 0], [1, 0]), 'a type section out of order or twice'],
    ['a section longer than the file', Uint8Array.from([...HEADER, 1, 5, 0]), '5 bytes announced, 1 left'],
    ['a section with a rest', file([1, 0, 0]), 'bytes after the end of the type section at byte 11'],
    ['a count without items', file([1, 0xff, 0xff, 0xff, 0xff, 0x0f]), 'unexpected end'],
    ['a reference type', file([1, 1, 0x60, 1, 0x70, 0]), 'value type 0x70 at byte 13'],
    ['a missing type', file([3, 1, 0]), 'type index 0 of 0'],
    ['shared memory', file([5, 1, 3, 1, 1]), 'limits of kind 3 (shared or 64-bit)'],
    ['a memory beyond 4 GiB', file([5, 1, 0, 0x81, 0x80, 0x04]), 'a memory of 65537 to 65536 pages'],
    ['maximum below minimum', file([5, 1, 1, 2, 1]), 'a memory of 2 to 1 pages'],
    ['an export of nothing', file([7, 1, 1, 0x61, 0, 0]), 'export "a" of a missing function'],
    ['two exports of one name', file([5, 1, 0, 1], [7, 2, 1, 0x1b, 2, 0, 1, 0x1b, 2, 0]), 'a second export "\\u{1b}"'],
    ['a missing start function', file([8, 0]), 'start function 0 of 0'],
    ['functions without code', file([1, 1, 0x60, 0, 0], [3, 1, 0]), '0 bodies for 1 functions'],
    ['code without functions', file([10, 1, 2, 0, 0x0b]), '1 bodies for 0 functions'],
    ['a wrong data count', file([12, 1]), '0 data segments where 1 were announced'],
    ['a computed constant', file([6, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]), 'several instructions'],
    ['code as a constant', file([6, 1, 0x7f, 0, 0x01, 0x0b]), 'nop in a constant expression'],
    [
      'too many locals',
      file(
        [1, 1, 0x60, 0, 0],
        [3, 1, 0],
        [10, 1, 14, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 1, 0x7f, 0x0b, 0, 0, 0, 0, 0],
      ),
      '2^32 locals',
    ],
  ])('refuses %s', (_case, bytes, message) => {
    expect(() => decodeModule(bytes)).toThrow(message)
  })

  it('keeps custom sections anywhere', () => {
    const custom = [...encodeCustomSection('x', Uint8Array.of(1))]
    const bytes = Uint8Array.from([...HEADER, ...custom, 1, 1, 0, ...custom])
    expect(decodeModule(bytes).sections.map(({ name, id }) => [name, id])).toEqual([
      ['x', 0],
      ['type', 1],
      ['x', 0],
    ])
  })
})
