/**
 * The fast executor on real networks against vectors recorded from ONNX Runtime 1.20 (CPU, graph optimisations off).
 *
 * Float networks: largest error ≤ 1e-4 of the largest output. Fake-quantised networks: a sum that falls on the other
 * side of a rounding boundary moves a value by one step, and deep networks carry that on. ONNX Runtime with and without
 * graph optimisations differs from itself by up to 3 steps and 25.4 dB on MobileNetV2; the bounds stand around that.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fuse } from '../graph/fuse.ts'
import { simplify } from '../graph/simplify.ts'
import { readNumbers } from '../graph/tensor.ts'
import { parseOnnx } from '../onnx/index.ts'
import { createFastExecutor } from './fast.ts'

const MODELS = new URL('../../../shared/models/', import.meta.url)

interface Recording {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly file: string }[]
  readonly outputs: readonly { readonly name: string; readonly file: string }[]
}

function readFloats(path: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(new URL(path, MODELS))).buffer)
}

/** The network's output for each recorded sample beside the recorded one, and the step of a quantised output. */
function replay(network: string) {
  const graph = fuse(simplify(parseOnnx(readFileSync(new URL(`${network}.onnx`, MODELS)))))
  const recording: Recording = JSON.parse(readFileSync(new URL(`${network}.io/io.json`, MODELS), 'utf8'))
  const [input] = recording.inputs
  const [output] = recording.outputs
  const given = readFloats(`${network}.io/${input.file}`)
  const expected = readFloats(`${network}.io/${output.file}`)
  const executor = createFastExecutor(graph)
  const samples = input.shape[0]
  const part = (values: Float32Array, index: number) =>
    values.subarray((index * values.length) / samples, ((index + 1) * values.length) / samples)
  const last = graph.nodes.find((node) => node.outputs[0] === output.name)
  const scale = last?.operator === 'DequantizeLinear' ? graph.constants.get(last.inputs[1]) : undefined
  return {
    step: scale && readNumbers(scale)[0],
    pairs: Array.from({ length: samples }, (_, index) => ({
      found: executor.run(new Map([[input.name, part(given, index)]])).get(output.name) as Float32Array,
      expected: part(expected, index),
    })),
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0)
}

function argmax(values: Float32Array): number {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)))
}

function signalToNoise(found: Float32Array, expected: Float32Array): number {
  const energy = expected.reduce((sum, value) => sum + value ** 2, 0)
  const noise = found.reduce((sum, value, i) => sum + (value - expected[i]) ** 2, 0)
  return 10 * Math.log10(energy / noise)
}

const present = existsSync(MODELS)
if (!present && process.env.CI !== 'true')
  console.warn('The real networks are not here (../shared/models beside the repository): their tests are skipped.')

describe.skipIf(!present && process.env.CI !== 'true')('the fast executor on real networks', () => {
  it.each(['mnist/opt-mnist', 'resnet-cifar10/resnet20-cifar10', 'mobilenet-v2/mobilenet_v2_1.0_224-dequantized'])(
    'equals ONNX Runtime on %s',
    (network) => {
      for (const { found, expected } of replay(network).pairs) {
        expect(argmax(found)).toBe(argmax(expected))
        const norm = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
        expect(largestDifference(found, expected) / norm).toBeLessThan(1e-4)
      }
    },
  )

  it.each([
    ['mlperf-tiny/ic_resnet8_cifar10-qdq', 1, 30],
    ['mobilenet-v2/mobilenet_v2_1.0_224-qdq', 8, 20],
  ])('%s stays within %s steps and %s dB of ONNX Runtime', (network, steps, decibels) => {
    const { pairs, step } = replay(network)
    for (const { found, expected } of pairs) {
      expect(argmax(found)).toBe(argmax(expected))
      expect(largestDifference(found, expected) / (step ?? 0)).toBeLessThan(steps + 0.5)
      expect(signalToNoise(found, expected)).toBeGreaterThan(decibels)
    }
  })
})
