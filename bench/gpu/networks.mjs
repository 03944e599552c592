/**
 * The networks of the GPU benches and the way to their plans. `timed` ones are measured beside onnxruntime-web, which runs the
 * file `float`; all are compared by hash. Calibration takes few samples of the sets of bench/real: a network's integers must be
 * the same everywhere, and how near they are to the float network's is judged there.
 */
import { readFileSync } from 'node:fs'
import { parseOnnx, quantize } from '../../dist/index.js'
import { buildStories } from '../../examples/stories/build.mjs'
import { located, openSet } from '../real/build.mjs'
import { naturalNetworks } from '../real/natural.mjs'
import { networks as labelled, networkName } from '../real/networks.mjs'
import { sequenceNetworks } from '../real/sequences.mjs'

const CALIBRATION_SAMPLES = 4

/** The first samples of a set, or of aligned sets. */
function fewer(set, count) {
  const length = Math.min(set.length, count)
  if (set.inputs === undefined) return { ...set, length }
  return { ...set, length, inputs: new Map([...set.inputs].map(([name, one]) => [name, { ...one, length }])) }
}

const read = (path) => new Uint8Array(readFileSync(located(path)))

const fromFile = (network) => ({
  name: networkName(network),
  async open() {
    const graph = parseOnnx(read(network.model))
    const plan = async () => {
      const set = network.calibration && fewer(await openSet(network, network.calibration), CALIBRATION_SAMPLES)
      return quantize(graph, set)
    }
    return { graph, plan }
  },
})

const fromSequences = ({ name, model, parse, states, parts }) => ({
  name,
  async open() {
    const graph = parseOnnx(read(model), parse)
    const plan = async () => {
      const { samples, sequence } = (await parts()).calibration
      // Sequences stay whole.
      const set = fewer(samples, sequence === undefined ? CALIBRATION_SAMPLES : 2 * sequence)
      return quantize(graph, set, { states, sequence })
    }
    return { graph, plan }
  },
})

/** Tokens of a sequence, and texts that calibrate. */
const STORY = { length: 64, texts: 2 }
const stories = () => buildStories(read('../shared/models/stories260k/stories260K.bin'), STORY)

/** Files whose networks are timed, by a short name, with their form in floating point. */
const TIMED = {
  'resnet20-cifar10': { name: 'resnet20' },
  'mobilenet_v2_1.0_224-qdq': {
    name: 'mobilenet-v2',
    float: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-dequantized.onnx',
  },
  'vit-cifar10': { name: 'vit-cifar10' },
  'glyphs-transformer': { name: 'glyphs-transformer' },
}

/**
 * @type {{
 *   name: string, timed: boolean, float?: string,
 *   open(): Promise<{
 *     graph: import('../../dist/index.js').Graph, plan: () => Promise<import('../../dist/index.js').Plan>,
 *   }>,
 * }[]}
 */
export const networks = [
  ...[...labelled, ...naturalNetworks].map((network) => {
    const found = fromFile(network)
    const timed = TIMED[found.name]
    return timed === undefined
      ? { ...found, timed: false }
      : { ...found, name: timed.name, timed: true, float: timed.float ?? network.model }
  }),
  ...['kws_dscnn', 'vww_mobilenetv1_0.25_96', 'ad_autoencoder']
    .map((name) => ({ model: `../shared/models/mlperf-tiny/${name}-qdq.onnx` }))
    .filter(({ model }) => !labelled.some((network) => network.model === model))
    .map((network) => ({ ...fromFile(network), timed: false })),
  ...sequenceNetworks.map((network) => ({ ...fromSequences(network), timed: false })),
  {
    name: 'stories260K',
    timed: false,
    async open() {
      const { full, plan } = await stories()
      return { graph: full, plan: async () => plan }
    },
  },
  {
    name: 'stories260K-step',
    timed: false,
    async open() {
      const { step, stepPlan } = await stories()
      return { graph: step, plan: async () => stepPlan }
    },
  },
]
