/**
 * Memory traffic of the softmax passes, counted: the kernel module is taken apart into text, every load and store of floats
 * gets a counter, and the instrumented module runs.
 */
import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import kernelModule from '../kernels/embedded/softmax.ts'
import { embeddedBytes } from '../kernels/module.ts'

const { readWasm, parseWat } = await wabt()

/** Bytes of a vector's floats that an instruction moves. The total of a block is double and int32 and is no vector's. */
const MOVES: Readonly<Record<string, number>> = {
  ...{ 'v128.load': 16, 'v128.store': 16 },
  ...{ 'v128.load32_splat': 4, 'f32.load': 4, 'f32.store': 4 },
}

/** The module with two exported globals, bytes read and bytes written. */
function instrumented(): BufferSource {
  const text = readWasm(embeddedBytes(kernelModule), { readDebugNames: false }).toText({
    foldExprs: false,
    inlineExport: false,
  })
  const lines = text.split('\n').flatMap((line) => {
    const instruction = /^\s*([a-z0-9_.]+)/.exec(line)?.[1] ?? ''
    if (/\b(?:v128|f32)\.(?:load|store)/.test(line) && MOVES[instruction] === undefined)
      throw new Error(`not counted: ${line}`)
    const bytes = MOVES[instruction]
    if (bytes === undefined) return [line]
    const counter = instruction.includes('load') ? '$read' : '$written'
    return [`global.get ${counter} i32.const ${bytes} i32.add global.set ${counter}`, line]
  })
  const end = lines.findLastIndex((line) => line.trim().endsWith(')'))
  const globals = ['read', 'written'].map((name) => `(global $${name} (export "${name}") (mut i32) (i32.const 0))`)
  lines[end] = `${lines[end]!.trimEnd().replace(/\)$/, '')}\n${globals.join('\n')})`
  const module = parseWat('softmax.wat', lines.join('\n'), { simd: true })
  return new Uint8Array(module.toBinary({}).buffer)
}

interface Counted {
  readonly read: WebAssembly.Global
  readonly written: WebAssembly.Global
  sumExtended(input: number, count: number, state: number): void
  scaleExtended(input: number, output: number, count: number, inverse: number, exponent: number): void
  maximum(input: number, count: number, least: number): number
  sumBelow(input: number, count: number, largest: number): number
  scaleBelow(input: number, output: number, count: number, largest: number, inverse: number, exponent: number): void
  storeBelow(input: number, output: number, count: number, largest: number): number
  storeShared(input: number, output: number, count: number, exponent: number): number
  storeNear(input: number, output: number, count: number, exponent: number): number
  multiply(input: number, output: number, count: number, factor: number): void
}

describe('floats read and written per element', () => {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 65536 })
  const kernels = new WebAssembly.Instance(new WebAssembly.Module(instrumented()), { env: { memory } })
    .exports as unknown as Counted
  const [input, output] = [65536, 65536 * 4]

  const algorithms: Readonly<Record<string, readonly [number, number, (count: number) => void]>> = {
    'two-pass': [
      2,
      1,
      (count) => {
        kernels.sumExtended(input, count, 16)
        kernels.scaleExtended(input, output, count, 1, 10)
      },
    ],
    'three-pass-recompute': [
      3,
      1,
      (count) => {
        const largest = kernels.maximum(input, count, -Infinity)
        kernels.sumBelow(input, count, largest)
        kernels.scaleBelow(input, output, count, largest, 1, 10)
      },
    ],
    'three-pass-reload': [
      3,
      2,
      (count) => {
        const sum = kernels.storeBelow(input, output, count, kernels.maximum(input, count, -Infinity))
        kernels.multiply(output, output, count, 1 / sum)
      },
    ],
    'blocked, the maximum first': [
      3,
      2,
      (count) => {
        const sum = kernels.storeShared(input, output, count, Math.round(kernels.maximum(input, count, -Infinity)))
        kernels.multiply(output, output, count, 1 / sum)
      },
    ],
    blocked: [
      2,
      2,
      (count) => {
        const sum = kernels.storeNear(input, output, count, 0)
        kernels.multiply(output, output, count, 1 / sum)
      },
    ],
  }

  it.each(Object.entries(algorithms))('%s', (_, [reads, writes, run]) => {
    for (const count of [1, 2, 3, 4, 7, 64, 1000, 1023, 1024, 1025, 30_001]) {
      kernels.read.value = 0
      kernels.written.value = 0
      run(count)
      expect([kernels.read.value / 4, kernels.written.value / 4]).toEqual([reads * count, writes * count])
    }
  })
})
