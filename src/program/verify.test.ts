import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { link } from './link.ts'
import { seal } from './seal.ts'
import { inspectModule, verifyModule } from './verify.ts'
import { encodeCustomSection } from './wasm/encode.ts'

const FEATURES = { simd: true, relaxed_simd: true, bulk_memory: true, multi_value: true, sat_float_to_int: true }
const { parseWat } = await wabt()
const assemble = (text: string) => parseWat('test.wat', text, FEATURES).toBinary({}).buffer

const KERNELS = assemble(`(module (import "env" "memory" (memory 1))
  (func (export "float") (param i32) local.get 0 f32.const 1 f32.store)
  (func (export "double") (param i32) (local i32)
    local.get 0 local.get 0 v128.load local.get 0 v128.load32_splat i32x4.add v128.store))`)
const PROGRAM = seal(
  link(KERNELS, {
    start: [{ kernel: 'double', arguments: [0] }],
    run: [{ kernel: 'double', arguments: [16] }],
    data: [{ offset: 16, bytes: Uint8Array.of(1, 2, 3) }],
    pages: 1,
    customSections: [{ name: 'dyadic.manifest', bytes: Uint8Array.of(0x7b, 0x7d) }],
  }),
)

const failed = (bytes: Uint8Array) =>
  verifyModule(bytes)
    .checks.filter(({ ok }) => !ok)
    .map(({ name }) => name)

/** Sealed, so that only the claim in question can fail. */
const failedOf = (fields: string) => failed(seal(assemble(`(module ${fields})`)))

const MEMORY = '(memory (export "memory") 1 1)'
const RUN = '(func (export "run"))'

describe('inspectModule', () => {
  it('counts what is in a module', () => {
    const facts = inspectModule(PROGRAM)
    expect(facts).toMatchObject({
      imports: 0,
      floatOpcodes: 0,
      floatTypes: 0,
      memoryPages: { min: 1, max: 1 },
      dataBytes: 3,
      relaxedOpcodes: 0,
      memoryGrow: 0,
      functions: 3,
    })
    expect(facts.opcodes.get('v128.load32_splat')).toBe(1)
    expect(facts.sections.reduce((sum, { bytes }) => sum + bytes, 8)).toBe(PROGRAM.length)
    expect(facts.codeBytes).toBe(facts.sections.find(({ name }) => name === 'code')?.bytes)
  })

  it('counts floats in signatures, locals, globals and blocks, and relaxed instructions', () => {
    const facts = inspectModule(
      assemble(`(module (type (func (param f32 i32) (result f64))) (global f64 (f64.const 0))
        (func (local f32 f32 v128 i64) block (result f32) unreachable end drop
          i32.const 0 i32.trunc_sat_f32_s unreachable
          i32x4.relaxed_dot_i8x16_i7x16_add_s f32x4.relaxed_madd i8x16.relaxed_swizzle drop))`),
    )
    // One type parameter, one result, one global, two locals, one block.
    expect(facts.floatTypes).toBe(6)
    // f64.const of the global, trunc_sat, relaxed_madd.
    expect(facts.floatOpcodes).toBe(3)
    expect(facts.relaxedOpcodes).toBe(3)
  })

  it('throws what is wrong with bytes that are no module', () => {
    expect(() => inspectModule(new TextEncoder().encode('<!doctype html>'))).toThrow('not the WebAssembly header')
  })
})

describe('verifyModule', () => {
  it('accepts a linked and sealed program', () => {
    const report = verifyModule(PROGRAM)
    expect(report.checks.map(({ name, ok }) => [name, ok])).toEqual(
      'seal structure imports float relaxed memory data exports tables engine'.split(' ').map((name) => [name, true]),
    )
    expect(report.ok).toBe(true)
  })

  it.each([
    ['an import', `(import "a" "b" (func)) ${MEMORY} ${RUN}`, ['imports', 'memory']],
    ['a float instruction', `${MEMORY} ${RUN} (func f32.const 1 drop)`, ['float']],
    ['a float local', `${MEMORY} ${RUN} (func (local f64))`, ['float']],
    ['a float global', `${MEMORY} ${RUN} (global f32 (f32.const 0))`, ['float']],
    ['a memory that can grow', `(memory (export "memory") 1 2) ${RUN}`, ['memory']],
    ['a memory without maximum', `(memory (export "memory") 1) ${RUN}`, ['memory']],
    ['memory.grow', `${MEMORY} ${RUN} (func i32.const 1 memory.grow drop)`, ['memory']],
    ['no memory', RUN, ['memory', 'exports']],
    ['data outside the memory', `${MEMORY} ${RUN} (data (i32.const 65535) "ab")`, ['data']],
    ['data at a negative address', `${MEMORY} ${RUN} (data (i32.const -1) "a")`, ['data']],
    ['another export', `${MEMORY} ${RUN} (func (export "more"))`, ['exports']],
    ['a run with a parameter', `${MEMORY} (func (export "run") (param i32))`, ['exports']],
    ['a global named run', `${MEMORY} (global (export "run") i32 (i32.const 0))`, ['exports']],
    ['a table', `${MEMORY} ${RUN} (table 1 funcref)`, ['tables']],
    ['an indirect call', `${MEMORY} (table 1 funcref) (func (export "run") i32.const 0 call_indirect)`, ['tables']],
    ['code that does not validate', `${MEMORY} (func (export "run") i32.add drop)`, ['engine']],
  ])('refuses %s', (_case, fields, checks) => {
    expect(failedOf(fields)).toEqual(checks)
  })

  it('refuses a seal that is only the tail of another section', () => {
    const body = seal(assemble(`(module ${MEMORY} ${RUN})`))
    const tail = seal(Uint8Array.from([...body, 0, 49, 2, 0x68, 0x69])).subarray(body.length + 5)
    const hidden = Uint8Array.from([...body, 0, 49, 2, 0x68, 0x69, ...tail])
    expect(failed(hidden)).toContain('seal')
    expect(verifyModule(hidden).checks[0].detail).toBe('the seal lies inside another section')
  })

  it('fails for every single changed byte and every prefix', () => {
    expect(PROGRAM.length).toBeLessThan(300)
    for (let index = 0; index < PROGRAM.length; index++)
      for (const change of [0x01, 0x80, 0xff]) {
        const damaged = PROGRAM.slice()
        damaged[index] ^= change
        expect(verifyModule(damaged).ok).toBe(false)
      }
    for (let length = 0; length < PROGRAM.length; length++)
      expect(verifyModule(PROGRAM.subarray(0, length)).ok).toBe(false)
    expect(verifyModule(Uint8Array.from([...PROGRAM, ...encodeCustomSection('x', new Uint8Array())])).ok).toBe(false)
  })

  it('never throws, whatever the bytes', () => {
    const mutation = fc.tuple(fc.nat(PROGRAM.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.boolean(), (mutations, sealed) => {
        const bytes = PROGRAM.slice()
        for (const [index, value] of mutations) bytes[index] = value
        const report = verifyModule(sealed ? seal(Uint8Array.from([...bytes, 0])) : bytes)
        expect(report.checks.length).toBe(10)
      }),
      { numRuns: 3000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (tail) => {
        expect(verifyModule(Uint8Array.from([...PROGRAM.subarray(0, 8), ...tail])).ok).toBe(false)
        expect(verifyModule(tail).ok).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
})
