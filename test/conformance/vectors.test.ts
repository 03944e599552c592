/**
 * Every convolutional network through the reader, the passes and the fast float executor, against the outputs that ONNX
 * Runtime 1.20 (CPU, graph optimisations off) gave for the same inputs. The largest error of each output is at most 1e-4
 * of its largest magnitude. Fake-quantised files are held to their own rule beside the executor.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fuse } from '../../src/graph/fuse.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { elementCount } from '../../src/graph/tensor.ts'
import { parseOnnx } from '../../src/onnx/index.ts'
import { createFastExecutor } from '../../src/reference/fast.ts'

const MODELS = new URL('../../../shared/models/', import.meta.url)
const TOLERANCE = 1e-4
/** Of a network's vectors, for machines that are busy. */
const PATIENCE = 60_000

const NETWORKS: readonly string[] = [
  'dnsmos-p808/model_v8',
  'mlperf-tiny/ad_autoencoder',
  'mlperf-tiny/ic_resnet8_cifar10',
  'mlperf-tiny/kws_dscnn',
  'mlperf-tiny/vww_mobilenetv1_0.25_96',
  'mnist/opt-mnist',
  'mobilenet-v1-0.5/mobilenet_v1_0.5_160-dequantized',
  'mobilenet-v2/mobilenet_v2_1.0_224-dequantized',
  'palm-detection/palm_detection_lite',
  'resnet-cifar10/resnet20-cifar10',
  'resnet-cifar10/resnet56-cifar10',
  'squeezenet1.1/squeezenet1.1',
  'super-resolution/super_resolution',
  'ultraface/version-RFB-320',
  'yolox-nano/yolox_nano',
  'yunet/yunet_n_320_320',
]

/**
 * Absolute errors of the recording itself, by output. YuNet's obj_32 is a sigmoid below 0.00083, and ONNX Runtime's float32
 * sigmoid is off by 9.46e-8 there against the exact function of its own logits: 1.15e-4 of that output's largest magnitude.
 */
const RECORDED_ERRORS: ReadonlyMap<string, number> = new Map([['yunet/yunet_n_320_320 obj_32', 9.5e-8]])

interface RecordedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly file: string
}

interface Recording {
  readonly inputs: readonly RecordedTensor[]
  readonly outputs: readonly RecordedTensor[]
}

/** A recorded tensor cut along its first axis into samples of the graph's own size. */
function readSamples(network: string, { file }: RecordedTensor, elements: number): Float32Array[] {
  const bytes = new Uint8Array(readFileSync(new URL(`${network}.io/${file}`, MODELS)))
  const values = new Float32Array(bytes.buffer)
  expect(values.length % elements).toBe(0)
  return Array.from({ length: values.length / elements }, (_, index) =>
    values.subarray(index * elements, (index + 1) * elements),
  )
}

/** max |found − expected| less the recording's own error, over max |expected|, for the whole recording of an output. */
function relativeError(
  found: readonly Float32Array[],
  expected: readonly Float32Array[],
  recordedError: number,
): number {
  let worst = 0
  let largest = 0
  expect(found.length).toBe(expected.length)
  expected.forEach((sample, index) => {
    const own = found[index] as Float32Array
    sample.forEach((value, i) => {
      const difference = Math.abs((own[i] as number) - value)
      // A NaN must not hide behind comparisons that it fails.
      worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference)
      largest = Math.max(largest, Math.abs(value))
    })
  })
  return Math.max(0, worst - recordedError) / largest
}

const required = process.env.CI === 'true'
const missing = NETWORKS.filter((network) => !existsSync(new URL(`${network}.io/io.json`, MODELS)))
if (missing.length > 0 && !required)
  console.warn(`skipped: ${missing.join(', ')} (expected in ../shared/models beside the repository)`)

it('the recorded vectors are here wherever continuous integration runs', () => {
  if (required) expect(missing).toEqual([])
})

describe('the fast float executor equals ONNX Runtime on the recorded vectors of', () => {
  it.each(NETWORKS.filter((network) => !missing.includes(network)))(
    '%s',
    (network) => {
      const graph = fuse(simplify(parseOnnx(readFileSync(new URL(`${network}.onnx`, MODELS)))))
      const recording: Recording = JSON.parse(readFileSync(new URL(`${network}.io/io.json`, MODELS), 'utf8'))
      const executor = createFastExecutor(graph)
      const elements = (name: string) => elementCount(graph.values.get(name)?.shape ?? [])
      expect(recording.inputs.map(({ name }) => name)).toEqual(graph.inputs)
      expect(recording.outputs.map(({ name }) => name)).toEqual(graph.outputs)
      const inputs = recording.inputs.map((tensor) => readSamples(network, tensor, elements(tensor.name)))
      const results = (inputs[0] ?? []).map((_, sample) =>
        executor.run(new Map(graph.inputs.map((name, index) => [name, inputs[index]?.[sample] as Float32Array]))),
      )
      for (const tensor of recording.outputs) {
        const expected = readSamples(network, tensor, elements(tensor.name))
        const found = results.map((result) => result.get(tensor.name) as Float32Array)
        const recordedError = RECORDED_ERRORS.get(`${network} ${tensor.name}`) ?? 0
        const error = relativeError(found, expected, recordedError)
        expect(error, `largest error of output ${tensor.name} over its largest magnitude`).toBeLessThanOrEqual(
          TOLERANCE,
        )
      }
    },
    PATIENCE,
  )
})
