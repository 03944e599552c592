/**
 * Transformers and recurrent networks through the reader, the passes and both float executors, against what ONNX Runtime
 * (CPU, graph optimisations off) gave for the same inputs: largest error at most 1e-4 of the largest magnitude of an output.
 * Beside the recorded vectors: pictures, a text and a minute of speech, where the fast executor alone runs.
 */
import { existsSync, readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fuse } from '../graph/fuse.ts'
import type { Graph } from '../graph/graph.ts'
import { simplify } from '../graph/simplify.ts'
import { type Bindings, parseOnnx } from '../onnx/index.ts'
import type { FloatExecutor } from './executor.ts'
import { createFastExecutor } from './fast.ts'
import { createReferenceExecutor } from './run.ts'

const SHARED = new URL('../../../shared/', import.meta.url)
const TOLERANCE = 1e-4
/** Of one network, for machines that are busy. */
const PATIENCE = 60_000

const speech: Bindings = { sr: 16_000, sequence: 576 }
const NETWORKS: readonly (readonly [string, Bindings])[] = [
  ['stories260k/stories260K', { T: 64 }],
  ['vit-tracker/vitTracker', {}],
  ['dtln/model_1', {}],
  ['dtln/model_2', {}],
  ['silero-vad/silero_vad_16k_op15', speech],
  ['silero-vad/silero_vad_op18_ifless', speech],
]

interface RecordedTensor {
  readonly name: string
  readonly dtype: string
  readonly file: string
}

interface Recording {
  readonly inputs: readonly RecordedTensor[]
  readonly outputs: readonly RecordedTensor[]
}

const read = (path: string): ArrayBuffer => new Uint8Array(readFileSync(new URL(path, SHARED))).buffer
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, SHARED), 'utf8'))

function networkOf(name: string, bind: Bindings): Graph {
  return fuse(simplify(parseOnnx(new Uint8Array(read(`models/${name}.onnx`)), { bind })))
}

function elements(network: string, { dtype, file }: RecordedTensor): ArrayLike<number> {
  const buffer = read(`models/${network}.io/${file}`)
  return dtype === 'int64' ? Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer)
}

/** Largest difference over the largest magnitude; infinite for another length or a NaN. */
function relativeError(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY
  let [worst, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((found[i] as number) - (expected[i] as number))
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
    largest = Math.max(largest, Math.abs(expected[i] as number))
  }
  return worst / largest
}

/** The logits of 100 pictures: the first file of the archive, a float32 array in C order. */
function recordedLogits(): Float32Array {
  const archive = new Uint8Array(read('models/vit-cifar10/vit-cifar10-expected.npz'))
  const view = new DataView(archive.buffer)
  const method = view.getUint16(8, true)
  const start = 30 + view.getUint16(26, true) + view.getUint16(28, true)
  expect([view.getUint32(0, true), method]).toEqual([0x04034b50, 8])
  const array = new Uint8Array(inflateRawSync(archive.subarray(start)))
  return new Float32Array(array.buffer.slice(10 + new DataView(array.buffer).getUint16(8, true)))
}

const present = existsSync(new URL('models/', SHARED))
if (!present && process.env.CI !== 'true')
  console.warn('The real networks are not here (../shared/models beside the repository): their tests are skipped.')

describe.skipIf(!present && process.env.CI !== 'true')('transformers and recurrent networks', () => {
  it.each(NETWORKS)(
    '%s gives the recorded outputs with both executors',
    (network, bind) => {
      const graph = networkOf(network, bind)
      const recording: Recording = readJson(`models/${network}.io/io.json`)
      expect(recording.outputs.map(({ name }) => name)).toEqual(graph.outputs)
      const runtime = recording.inputs.filter(({ name }) => !(name in bind))
      expect(runtime.map(({ name }) => name).sort()).toEqual([...graph.inputs].sort())
      const inputs = new Map(runtime.map((tensor) => [tensor.name, elements(network, tensor)]))
      for (const create of [createReferenceExecutor, createFastExecutor]) {
        const found = create(graph).run(inputs)
        for (const tensor of recording.outputs)
          expect(
            relativeError(found.get(tensor.name), elements(network, tensor)),
            `${create.name}: largest error of output ${tensor.name} over its largest magnitude`,
          ).toBeLessThanOrEqual(TOLERANCE)
      }
    },
    PATIENCE,
  )

  it('no node of a transformer stays written out', () => {
    const operators = (name: string, bind: Bindings) => {
      const counts = new Map<string, number>()
      for (const { operator } of networkOf(name, bind).nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1)
      return counts
    }
    const classifier = operators('vit-cifar10/vit-cifar10', {})
    const tracker = operators('vit-tracker/vitTracker', {})
    const stories = operators('stories260k/stories260K', { T: 16 })
    expect([classifier.get('LayerNormalization'), classifier.get('Gelu')]).toEqual([13, 6])
    expect([tracker.get('LayerNormalization'), tracker.get('Gelu')]).toEqual([7, 3])
    expect([stories.get('RMSNormalization'), stories.get('Swish')]).toEqual([11, 5])
    const layers = networkOf('vit-cifar10/vit-cifar10', {}).nodes.filter(({ operator }) => operator === 'dyadic.Dense')
    expect(layers.map(({ inputs }) => inputs.filter((input) => input !== '').length).sort()).toEqual([
      ...new Array<number>(13).fill(3),
      ...new Array<number>(12).fill(4),
    ])
    expect(classifier.get('dyadic.MatMul')).toBe(12)
    expect([stories.get('dyadic.Dense'), stories.get('dyadic.MatMul'), stories.get('Expand')]).toEqual([36, 10, 10])
    for (const counts of [classifier, tracker, stories])
      for (const part of ['MatMul', 'Gemm', 'Tile']) expect(counts.get(part), part).toBeUndefined()
    for (const counts of [classifier, tracker, stories])
      for (const part of ['ReduceMean', 'Sqrt', 'Erf', 'Pow', 'Cast', 'Shape', 'Sigmoid'])
        if (part !== 'Sigmoid' || counts !== tracker) expect(counts.get(part), part).toBeUndefined()
  })

  it(
    'the classifier gives the recorded logits of 40 pictures',
    () => {
      const pictures = new Uint8Array(read('data/cifar10/test_a.bin'))
      const recorded = recordedLogits()
      const executor = createFastExecutor(networkOf('vit-cifar10/vit-cifar10', {}))
      const [mean, deviation] = [
        [0.4914, 0.4822, 0.4465],
        [0.247, 0.2435, 0.2616],
      ] as const
      // Row 10 · c + k of the recording is picture 1000 · k + c of the file, of which this is the first 4000 pictures.
      for (let k = 0; k < 4; k++)
        for (let c = 0; c < 10; c++) {
          const start = (1000 * k + c) * 3073 + 1
          const image = Float32Array.from(pictures.subarray(start, start + 3072), (pixel, i) => {
            const channel = Math.floor(i / 1024)
            return (pixel / 255 - (mean[channel] as number)) / (deviation[channel] as number)
          })
          const logits = executor.run(new Map([['image', image]])).get('logits')
          const row = 10 * c + k
          expect(relativeError(logits, recorded.subarray(10 * row, 10 * row + 10))).toBeLessThanOrEqual(TOLERANCE)
        }
    },
    PATIENCE,
  )

  it(
    'the language model knows the stories as well as it should: 1.2664 nats a token',
    () => {
      const { sequences } = readJson('models/stories260k/tinystories_sample.ids.json') as { sequences: number[][] }
      let [loss, count] = [0, 0]
      for (const ids of sequences) {
        const length = ids.length - 1
        const executor = createFastExecutor(networkOf('stories260k/stories260K', { T: length }))
        const logits = executor.run(new Map([['input_ids', ids.slice(0, length)]])).get('logits') as Float32Array
        for (let t = 0; t < length; t++) {
          const row = logits.subarray(t * 512, (t + 1) * 512)
          const largest = Math.max(...row)
          const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0)
          loss += Math.log(sum) + largest - (row[ids[t + 1] as number] as number)
          count++
        }
      }
      expect(count).toBe(1804)
      expect((loss / count).toFixed(4)).toBe('1.2664')
    },
    PATIENCE,
  )

  it.each(['silero_vad_16k_op15', 'silero_vad_op18_ifless'])(
    '%s hears the recorded probabilities in the first 400 windows',
    (name) => {
      const executor: FloatExecutor = createFastExecutor(networkOf(`silero-vad/${name}`, speech))
      const { probs } = readJson(`models/silero-vad/${name}.expected_probs.json`) as { probs: number[] }
      const samples = new Int16Array(read('models/silero-vad/test.wav').slice(44))
      const input = new Float32Array(576)
      let state: ArrayLike<number> = new Float32Array(256)
      for (let window = 0; window < 400; window++) {
        input.copyWithin(0, 512)
        for (let i = 0; i < 512; i++) input[64 + i] = (samples[window * 512 + i] as number) / 32768
        const outputs = executor.run(
          new Map([
            ['input', input],
            ['state', state],
          ]),
        )
        state = outputs.get('stateN') as Float32Array
        expect(Math.abs((outputs.get('output') as Float32Array)[0] - (probs[window] as number))).toBeLessThan(1e-5)
      }
    },
    PATIENCE,
  )
})
