import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { link } from './link.ts'
import type { ModuleDescription } from './module.ts'
import { inspectModule } from './verify.ts'
import { decodeModule } from './wasm/decode.ts'

const FEATURES = { simd: true, multi_value: true, bulk_memory: true }
const { parseWat, readWasm } = await wabt()
const assemble = (text: string) => parseWat('kernels.wat', text, FEATURES).toBinary({ write_debug_names: true }).buffer

/** Kernels of every kind, between float functions that nothing calls. */
const KERNELS = assemble(`(module
  (type $float (func (param f32) (result f64)))
  (type $binary (func (param i32 i32 i32)))
  (type $pair (func (param i32) (result i32 i32)))
  (import "env" "memory" (memory 1 65536))
  (global $unused (mut f64) (f64.const 1))
  (global $bias i32 (i32.const 1000))
  (global $calls (mut i32) (i32.const 0))
  (global $ones v128 (v128.const i32x4 1 1 1 1))
  (func $promote (type $float) local.get 0 f64.promote_f32)
  (func (export "scale") (param i32) (local f32)
    local.get 0 local.get 0 f32.load local.tee 1 call $promote drop local.get 1 f32.mul f32.store)
  (func $add (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func $count global.get $calls i32.const 1 i32.add global.set $calls)
  (func (export "store") (type $binary)
    call $count
    local.get 0 local.get 1 local.get 2 call $add global.get $bias i32.add global.get $calls i32.add i32.store)
  (func (export "half") (param i32) (local f64) local.get 0 f64.const 0.5 f64.store)
  (func (export "increment") (param i32)
    local.get 0
    local.get 0 v128.load global.get $ones i32x4.add v128.store
    local.get 0 block (type $pair) i32.const 0 end drop drop)
  (func $recursive (export "recursive") (param i32 i32) local.get 1 if local.get 0 local.get 1 i32.const 1 i32.sub call $recursive
    local.get 0 local.get 0 i32.load i32.const 2 i32.mul i32.store end)
  (func (export "answer") (result i32) i32.const 42)
  (func (export "grow") (param i32) local.get 0 memory.grow drop))`)

const DESCRIPTION: ModuleDescription = {
  start: [{ kernel: 'store', arguments: [0, 20, -1] }],
  run: [
    { kernel: 'increment', arguments: [65536] },
    { kernel: 'store', arguments: [4, 2 ** 31, 4294967295] },
  ],
  data: [
    { offset: 65536, bytes: Uint8Array.of(1, 0, 0, 0) },
    { offset: 65540, bytes: Uint8Array.of(2, 0, 0, 0) },
    { offset: 65600, bytes: new Uint8Array() },
    { offset: 131000, bytes: Uint8Array.of(7) },
  ],
  pages: 2,
  customSections: [
    { name: 'dyadic.manifest', bytes: Uint8Array.of(0x7b, 0x7d) },
    { name: 'é', bytes: new Uint8Array() },
  ],
}

function instantiate(bytes: Uint8Array) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>))
  const { memory, run } = instance.exports as { memory: WebAssembly.Memory; run: () => void }
  return { memory, run }
}

describe('link', () => {
  const linked = link(KERNELS, DESCRIPTION)

  it('makes a module that starts, runs and has a fixed memory', () => {
    const { memory, run } = instantiate(linked)
    const words = new Int32Array(memory.buffer)
    // 20 − 1 + bias 1000 + first call.
    expect([words[0], words[1], words[16384], words[16385]]).toEqual([1020, 0, 1, 2])
    run()
    run()
    expect([words[0], words[1], ...words.subarray(16384, 16389)]).toEqual([
      1020,
      (2 ** 31 - 1 + 1000 + 3) | 0,
      3,
      4,
      2,
      2,
      0,
    ])
    expect(new Uint8Array(memory.buffer)[131000]).toBe(7)
    expect(() => memory.grow(1)).toThrow()
  })

  it('keeps only what is reached: no float is left, by its own walker and by wabt', () => {
    const facts = inspectModule(linked)
    expect([facts.floatOpcodes, facts.floatTypes, facts.imports]).toEqual([0, 0, 0])
    expect([inspectModule(KERNELS).floatOpcodes, inspectModule(KERNELS).floatTypes]).toEqual([7, 5])
    const module = decodeModule(linked)
    // add, count, store, increment, start, run.
    expect(module.bodies.length).toBe(6)
    expect(module.globals.map(({ type, mutable }) => [type, mutable])).toEqual([
      ['i32', false],
      ['i32', true],
      ['v128', false],
    ])
    expect(module.exports.map(({ name, kind }) => [name, kind])).toEqual([
      ['memory', 'memory'],
      ['run', 'function'],
    ])
    expect(module.memories).toEqual([{ minimum: 2, maximum: 2 }])
    const text = readWasm(linked, FEATURES)
    text.validate()
    const listing = text.toText({})
    expect(listing).not.toMatch(/f32|f64|import/)
    expect(listing).toContain('i32x4.add')
  })

  it('merges adjacent data, drops empty segments and the name section, appends custom sections', () => {
    const module = decodeModule(linked)
    expect(module.data.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
      [65536, 8],
      [131000, 1],
    ])
    expect(module.sections.map(({ name }) => name)).toEqual(
      'type function memory global export start code data dyadic.manifest é'.split(' '),
    )
  })

  it('is deterministic', () => {
    expect(link(KERNELS.slice(), DESCRIPTION)).toEqual(linked)
  })

  it('renumbers recursion, and does without start, data or globals', () => {
    const bytes = link(KERNELS, {
      start: [],
      run: [{ kernel: 'recursive', arguments: [8, 5] }],
      data: [],
      pages: 1,
      customSections: [],
    })
    const { memory, run } = instantiate(bytes)
    const words = new Int32Array(memory.buffer)
    words[2] = 3
    run()
    expect(words[2]).toBe(96)
    expect(decodeModule(bytes).sections.map(({ name }) => name)).toEqual('type function memory export code'.split(' '))
    expect(inspectModule(link(KERNELS, { start: [], run: [], data: [], pages: 1, customSections: [] })).functions).toBe(
      1,
    )
  })

  it.each<[string, Partial<ModuleDescription>, string]>([
    [
      'an unknown kernel',
      { run: [{ kernel: 'nix\u001b', arguments: [] }] },
      'no kernel "nix\\u{1b}"; there are "scale", "store"',
    ],
    ['too few arguments', { run: [{ kernel: 'store', arguments: [1] }] }, '"store" takes 3 arguments, not 1'],
    [
      'a fraction',
      { start: [{ kernel: 'increment', arguments: [0.5] }] },
      'argument 0 of a call of "increment" is 0.5',
    ],
    ['33 bits', { run: [{ kernel: 'increment', arguments: [2 ** 32] }] }, 'is 4294967296, not a 32-bit integer'],
    ['a result', { run: [{ kernel: 'answer', arguments: [] }] }, 'kernels take i32 and return nothing'],
    [
      'growth',
      { run: [{ kernel: 'grow', arguments: [1] }] },
      'uses memory.grow, which a program with fixed memory may not',
    ],
    ['no page', { pages: 0 }, 'a memory of 0 pages'],
    ['too many pages', { pages: 65537 }, 'a memory of 65537 pages'],
    ['data outside', { pages: 1 }, 'data at 65536 ends at 65540, outside a memory of 1 pages'],
    [
      'overlap',
      {
        data: [
          { offset: 0, bytes: Uint8Array.of(1, 2) },
          { offset: 1, bytes: Uint8Array.of(3) },
        ],
      },
      'segments must be sorted',
    ],
  ])('refuses %s', (_case, change, message) => {
    expect(() => link(KERNELS, { ...DESCRIPTION, ...change })).toThrow(message)
  })

  it.each([
    [
      'an import more',
      '(import "env" "memory" (memory 1)) (import "env" "abort" (func))',
      'imports memory "env.memory", function "env.abort"',
    ],
    ['no memory', '', 'imports nothing'],
    ['a table', '(import "env" "memory" (memory 1)) (table 1 funcref)', 'has a table'],
    [
      'elements',
      '(import "env" "memory" (memory 1)) (table 1 funcref) (func $f) (elem (i32.const 0) $f)',
      'has a table',
    ],
    ['static data', '(import "env" "memory" (memory 1)) (data (i32.const 0) "a")', '1 static data segments'],
    ['a start function', '(import "env" "memory" (memory 1)) (func $f) (start $f)', 'has a start function'],
  ])('refuses a kernel module with %s', (_case, fields, message) => {
    const description = { ...DESCRIPTION, start: [], run: [] }
    expect(() => link(assemble(`(module ${fields})`), description)).toThrow(message)
  })
})
