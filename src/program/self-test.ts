/**
 * The self-test of a program: generated inputs, and the hash of the outputs that the scalar meaning gives for them. `verify`
 * runs the finished module on the same inputs: equal hashes mean that this host computes what was certified.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { IntegerGraph, Port } from '../lower/integer-graph.ts'
import { hexadecimal } from '../lower/print.ts'
import { randomUint32 } from '../num/random.ts'
import { type IntegerArray, interpret } from './interpret.ts'
import type { ProgramPort, SelfTest } from './manifest.ts'

const SEED = 20261121
const SAMPLES = 1

type TestedPort = Pick<Port | ProgramPort, 'name' | 'format' | 'shape' | 'range'>

const BYTES = { u8: 1, s8: 1, s16: 2, s32: 4 } as const

/**
 * Input integers of one sample, little-endian: every byte from the counter-based generator, one stream per sample and input.
 * Of a port with a range they are taken modulo its size.
 */
export function selfTestInput(
  { format, shape, range }: Omit<TestedPort, 'name'>,
  seed: number,
  stream: number,
): IntegerArray {
  const count = shape.reduce((product, size) => product * size, BYTES[format])
  const bytes = new Uint8Array(count)
  for (let i = 0; i < count; i += 4) {
    const word = randomUint32(seed, stream, i >> 2)
    for (let j = 0; j < 4 && i + j < count; j++) bytes[i + j] = word >>> (8 * j)
  }
  const values = format === 'u8' ? bytes : new { s8: Int8Array, s16: Int16Array, s32: Int32Array }[format](bytes.buffer)
  if (range !== undefined)
    for (let i = 0; i < values.length; i++) values[i] = range.low + ((values[i] >>> 0) % (range.high - range.low + 1))
  return values
}

/** Runs `samples` generated inputs through `run` and hashes all outputs in port order. */
export function runSelfTest(
  inputs: readonly TestedPort[],
  outputs: readonly { readonly name: string }[],
  test: Pick<SelfTest, 'seed' | 'samples'>,
  run: (inputs: ReadonlyMap<string, IntegerArray>) => ReadonlyMap<string, IntegerArray>,
): string {
  const hash = sha256.create()
  for (let sample = 0; sample < test.samples; sample++) {
    const results = run(
      new Map(inputs.map((port, index) => [port.name, selfTestInput(port, test.seed, sample * inputs.length + index)])),
    )
    for (const { name } of outputs) {
      const values = results.get(name) as IntegerArray
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
  }
  return hexadecimal(hash.digest())
}

/** What the manifest records: the self-test's answer by the scalar meaning. */
export function expectedSelfTest(graph: IntegerGraph): SelfTest {
  const test = { seed: SEED, samples: SAMPLES }
  return { ...test, sha256: runSelfTest(graph.inputs, graph.outputs, test, (inputs) => interpret(graph, inputs)) }
}
