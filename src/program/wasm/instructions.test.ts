import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { decodeModule } from './decode.ts'
import { type Instruction, relocateExpression, walkExpression } from './instructions.ts'
import { ByteReader } from './leb128.ts'
import { type Immediate, OPCODES } from './opcodes.ts'

const FEATURES = { simd: true, relaxed_simd: true, bulk_memory: true, multi_value: true, reference_types: true }
const { parseWat, readWasm } = await wabt()

function assemble(text: string): Uint8Array {
  return parseWat('test.wat', text, FEATURES).toBinary({}).buffer
}

function instructionsOf(bytes: Uint8Array, position = 0): Instruction[] {
  const body = decodeModule(bytes).bodies[position]
  return [...walkExpression(new ByteReader(bytes, body.expression, body.end))]
}

/** Immediates as text; `operands` are what the walker must read back. */
const IMMEDIATES: Record<Immediate, { text: string; operands: (number | bigint)[] }> = {
  'block-type': { text: '(result i32)', operands: [-1] },
  label: { text: '0', operands: [0] },
  labels: { text: '0 0', operands: [0, 0] },
  function: { text: '$f', operands: [1] },
  type: { text: '(type $g)', operands: [1] },
  table: { text: '', operands: [0] },
  local: { text: '1', operands: [1] },
  global: { text: '1', operands: [1] },
  memory: { text: '', operands: [0] },
  data: { text: '0', operands: [0] },
  element: { text: '0', operands: [0] },
  alignment: { text: '', operands: [] },
  offset: { text: 'offset=300', operands: [300] },
  lane: { text: '1', operands: [1] },
  lanes: { text: '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31', operands: [...Array(15).keys(), 31] },
  i32: { text: '-129', operands: [-129] },
  i64: { text: '-9223372036854775808', operands: [-(2n ** 63n)] },
  f32: { text: '1.5', operands: [0x3fc00000] },
  f64: { text: '1.5', operands: [0x3ff8000000000000n] },
  v128: { text: 'i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 -1', operands: [...Array(15).keys(), 255] },
}

describe('the table of instructions', () => {
  // Behind `unreachable` the stack has any type, so one line per instruction is a valid function.
  const plain = [...OPCODES.values()].filter(({ name }) => !/^(block|loop|if|else|end)$/.test(name))
  const line = (name: string, immediates: readonly Immediate[]) =>
    [name, ...immediates.map((immediate) => IMMEDIATES[immediate].text)].join(' ')
  const functions = plain.map(
    ({ name, immediates }) => `(func (local i32 i32) unreachable ${line(name, immediates)} unreachable)`,
  )
  const text = `(module (type $f (func)) (type $g (func (param i32))) (memory 1) (table 1 funcref) (elem func $f)
    (global i32 (i32.const 0)) (global (mut i32) (i32.const 0)) (data "a") (func) (func $f (type $f))
    ${functions.join('\n')})`
  const bytes = assemble(text)

  it('covers 1.0, sign extension, saturation, bulk memory, simd128 and relaxed SIMD', () => {
    const count = (low: number, high: number) => [...OPCODES.keys()].filter((code) => code >= low && code < high).length
    // Specification 3.0, section 7.10: 172 + 5 sign extensions; 8 + 7; 236; 20.
    expect([count(0, 0x1000), count(0xfc000, 0xfd000), count(0xfd000, 0xfd100), count(0xfd100, 0xfe000)]).toEqual([
      177, 15, 236, 20,
    ])
    expect(new Set([...OPCODES.values()].map(({ name }) => name)).size).toBe(OPCODES.size)
  })

  it('reads every instruction as wabt assembles it: name, operands, byte ranges', () => {
    const decoded = decodeModule(bytes)
    expect(decoded.bodies.length).toBe(plain.length + 2)
    for (const [index, opcode] of plain.entries()) {
      const body = decoded.bodies[index + 2]
      const walked = [...walkExpression(new ByteReader(bytes, body.expression, body.end))]
      expect(walked.map((instruction) => instruction.opcode.name)).toEqual([
        'unreachable',
        opcode.name,
        'unreachable',
        'end',
      ])
      expect(walked.map(({ start }) => start)).toEqual([body.expression, ...walked.slice(0, -1).map(({ end }) => end)])
      const expected = opcode.immediates.flatMap((immediate) => IMMEDIATES[immediate].operands)
      const operands = opcode.immediates.includes('alignment') ? walked[1].operands.slice(1) : walked[1].operands
      expect(operands).toEqual(expected)
    }
  })

  it('names instructions as wabt disassembles them, also where float is concerned', () => {
    const listing = readWasm(bytes, FEATURES).toText({})
    const names = new Map<string, number>()
    for (const [, name] of listing.matchAll(/^ {4}([a-z][\w.]*)/gm)) names.set(name, (names.get(name) ?? 0) + 1)
    for (const { name } of plain) if (name !== 'unreachable') expect([name, names.get(name)]).toEqual([name, 1])
    const float = [...names.keys()].filter((name) => /f32|f64/.test(name)).sort()
    expect(
      plain
        .filter((opcode) => opcode.float)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(float)
    for (const neutral of ['v128.load32_splat', 'i8x16.shuffle', 'v128.and', 'v128.load64_zero', 'v128.store32_lane'])
      expect(plain.find(({ name }) => name === neutral)?.float).toBe(false)
    for (const name of ['i32.reinterpret_f32', 'i32x4.trunc_sat_f64x2_s_zero', 'f32x4.convert_i32x4_s', 'f32x4.splat'])
      expect(plain.find((opcode) => opcode.name === name)?.float).toBe(true)
  })
})

describe('the walker', () => {
  it('reads nested blocks of every block type', () => {
    const bytes = assemble(`(module (type $t (func (param i32) (result i32 i64)))
      (func block (result v128) unreachable end drop
        i32.const 1 if (result f64) unreachable else loop unreachable end unreachable end drop
        i32.const 1 block (type $t) unreachable end drop drop))`)
    const blocks = instructionsOf(bytes).filter(({ opcode }) => opcode.immediates[0] === 'block-type')
    expect(blocks.map(({ opcode, operands }) => [opcode.name, ...operands])).toEqual([
      ['block', -5],
      ['if', -4],
      ['loop', -64],
      ['block', 0],
    ])
  })

  it.each([
    ['an unknown opcode', [0x06, 0x0b], 'unknown instruction 0x6 at byte 0'],
    ['an unknown vector instruction', [0xfd, 0x9a, 0x01, 0x0b], 'unknown instruction 0xfd09a at byte 0'],
    [
      'a number behind a prefix that would leave its space',
      [0xfc, 0x80, 0xa0, 0x03, 0x0b],
      'unknown instruction 0xfcfff',
    ],
    ['a missing end', [0x01], 'unexpected end at byte 1'],
    ['bytes after the end', [0x0b, 0x01], 'bytes after the end of a function at byte 1'],
    ['a memory index in the alignment', [0x28, 0x42, 0x00, 0x00, 0x0b], 'an alignment of 2^66 bytes at byte 1'],
    ['a second memory', [0x3f, 0x01, 0x0b], 'an instruction on a second memory'],
    ['a reference as block type', [0x02, 0x70, 0x0b, 0x0b], 'a block type that is neither'],
    ['a table of labels longer than the file', [0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00], 'unexpected end'],
  ])('refuses %s', (_case, bytes, message) => {
    expect(() => [...walkExpression(new ByteReader(Uint8Array.from(bytes)))]).toThrow(message)
  })

  it('renumbers functions, globals and block types, and copies everything else', () => {
    // call 1, global.get 300 (two bytes), block (type 2) ... end, block (result i32) ... end, end
    const bytes = Uint8Array.from([9, 0x10, 1, 0x23, 0xac, 2, 0x02, 2, 0x0b, 0x02, 0x7f, 0x0b, 0x41, 1, 0x0b])
    const relocation = {
      functions: new Map([[1, 200]]),
      globals: new Map([[300, 0]]),
      types: new Map([[2, 100]]),
    }
    expect([...relocateExpression(new ByteReader(bytes, 1), 0, relocation)]).toEqual([
      9, 0x10, 0xc8, 1, 0x23, 0, 0x02, 0xe4, 0, 0x0b, 0x02, 0x7f, 0x0b, 0x41, 1, 0x0b,
    ])
    const empty = { functions: new Map(), globals: new Map(), types: new Map() }
    expect(() => relocateExpression(new ByteReader(bytes, 1), 0, empty)).toThrow(
      'an index out of range in call at byte 1',
    )
  })
})
