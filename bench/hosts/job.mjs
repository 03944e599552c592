/**
 * What every host is asked: a convolutional network and a transformer of this repository and, where the real models are, a residual
 * network and MobileNetV2, with inputs as integers; and the hashes that the scalar meaning of the program gives.
 */
import { existsSync } from 'node:fs'
import { interpret } from '../../dist/index.js'
import { buildNetwork, located, openSet } from '../real/build.mjs'
import { networks as labelled } from '../real/networks.mjs'
import { hashAll } from './execute.mjs'

/** Networks by the end of their path in bench/real/networks.mjs, and samples of each. */
const WANTED = [
  ['glyphs.onnx', 8],
  ['glyphs-transformer.onnx', 8],
  ['resnet20-cifar10.onnx', 4],
  ['mobilenet_v2_1.0_224-qdq.onnx', 2],
]

/**
 * @typedef {{ name: string, bytes: number, samples: number, hashes: string[] }} HostCase
 * @returns {Promise<{ cases: HostCase[], text: string, missing: string[] }>} `text` is the job as JSON.
 */
export async function makeJob() {
  const cases = []
  const job = []
  const missing = []
  for (const [suffix, count] of WANTED) {
    const network = labelled.find(({ model }) => model.endsWith(suffix))
    if (network === undefined) throw new Error(`bench/real/networks.mjs has no ${suffix}`)
    if (!existsSync(located(network.model))) {
      missing.push(network.model)
      continue
    }
    const { program } = await buildNetwork(network)
    const [input] = program.manifest.inputs
    const set = await openSet(network, network.evaluations[0].card)
    const samples = []
    const outputs = []
    for (let index = 0; index < count; index++) {
      const integers = asStored(await set.read(index), input)
      samples.push([{ name: input.name, type: integers.constructor.name, base64: base64(integers) }])
      const meaning = interpret(program.integerGraph, new Map([[input.name, integers]]))
      outputs.push(joined(program.manifest.outputs.map(({ name }) => meaning.get(name))))
    }
    job.push({ wasm: base64(program.wasm), samples })
    const [hashes] = await hashAll([outputs])
    cases.push({ name: network.model.split('/').at(-1), bytes: program.wasm.length, samples: count, hashes })
  }
  return { cases, text: JSON.stringify({ cases: job }), missing }
}

/** The bytes that a data set stores, as integers of the input's format. Any integers would do; these are of real samples. */
function asStored(sample, { format, count }) {
  if (sample.length !== count) throw new Error(`a sample has ${sample.length} elements, the input ${count}`)
  const bytes = Uint8Array.from(sample)
  if (format === 'u8') return bytes
  const shifted = Int8Array.from(bytes, (byte) => byte - 128)
  return format === 's8' ? shifted : Int16Array.from(shifted)
}

const base64 = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')

function joined(views) {
  return Buffer.concat(views.map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength)))
}
