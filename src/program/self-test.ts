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

type InputArray = Uint8Array | Int8Array | Int16Array

/** Input integers of one sample, little-endian: every byte from the counter-based generator, one stream per sample and input. */
export function selfTestInput(
  port: Pick<Port | ProgramPort, 'format' | 'shape'>,
  seed: number,
  stream: number,
): InputArray {
  const elements = port.shape.reduce((product, size) => product * size, 1)
  const count = port.format === 's16' ? 2 * elements : elements
  const bytes = new Uint8Array(count)
  for (let i = 0; i < count; i += 4) {
    const word = randomUint32(seed, stream, i >> 2)
    for (let j = 0; j < 4 && i + j < count; j++) bytes[i + j] = word >>> (8 * j)
  }
  if (port.format === 'u8') return bytes
  return port.format === 's16' ? new Int16Array(bytes.buffer) : new Int8Array(bytes.buffer)
}

/** Runs `samples` generated inputs through `run` and hashes all outputs in port order. */
export function runSelfTest(
  inputs: readonly Pick<Port | ProgramPort, 'name' | 'format' | 'shape'>[],
  outputs: readonly { readonly name: string }[],
  test: Pick<SelfTest, 'seed' | 'samples'>,
  run: (inputs: ReadonlyMap<string, InputArray>) => ReadonlyMap<string, IntegerArray>,
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
