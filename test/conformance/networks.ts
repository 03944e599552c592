/**
 * The real networks that every target must agree on, as data: model, calibration card and evaluation card of each, and the
 * way from there to a compiled program with integer inputs. Paths are relative to the repository's root.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DataSet } from '../../src/data/data-set.ts'
import { openDataSet, parseDataCard } from '../../src/data/index.ts'
import { nodeFiles } from '../../src/data/node-files.ts'
import { decodeImage } from '../../src/data/node-image-decoder.ts'
import { type CompiledProgram, compile, type Plan, parseOnnx, quantize } from '../../src/index.ts'
import { clamp } from '../../src/num/requantize.ts'

export interface RealNetwork {
  readonly name: string
  readonly model: string
  /** Folder of the cards' files. */
  readonly data: string
  /** Absent where the file brings its own numbers. */
  readonly calibration?: object
  readonly samples: object
}

/** Samples per network that are compared. */
export const SAMPLES = 20

const root = fileURLToPath(new URL('../../', import.meta.url))

const mnist = (name: string, first: number) => ({
  schema: 1,
  samples: { kind: 'idx', file: `${name}-images.idx3` },
  split: { first },
})
const cifar = (file: string, first: number) => ({
  schema: 1,
  samples: { kind: 'cifar', files: [file] },
  input: { divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  split: { first },
})
const glyphs = (first: number, count: number) => ({
  schema: 1,
  samples: { kind: 'glyphs', seed: 1, first, count },
  input: { scale: 1 / 255, offset: 0 },
})

/** Calibration takes few samples: what is compared here is arithmetic, not accuracy. */
export const networks: readonly RealNetwork[] = [
  {
    name: 'glyphs',
    model: 'examples/glyphs/glyphs.onnx',
    data: 'examples/glyphs',
    calibration: glyphs(100_000, 32),
    samples: glyphs(200_000, SAMPLES),
  },
  {
    name: 'glyphs-transformer',
    model: 'examples/glyphs/glyphs-transformer.onnx',
    data: 'examples/glyphs',
    calibration: glyphs(100_000, 32),
    samples: glyphs(200_000, SAMPLES),
  },
  {
    name: 'opt-mnist',
    model: '../shared/models/mnist/opt-mnist.onnx',
    data: '../shared/data/mnist',
    calibration: mnist('train', 64),
    samples: mnist('t10k-a', SAMPLES),
  },
  {
    name: 'resnet20-cifar10',
    model: '../shared/models/resnet-cifar10/resnet20-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar('train_lossless.bin', 32),
    samples: cifar('test_a.bin', SAMPLES),
  },
  {
    name: 'mobilenet_v2_1.0_224-qdq',
    model: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-qdq.onnx',
    data: '../shared/data/imagenet-samples',
    samples: {
      schema: 1,
      samples: { kind: 'images', tar: 'images.tar' },
      image: { resizeShorterSide: 256, crop: [224, 224], channels: 'rgb' },
      input: { scale: 1 / 128, offset: 128 },
      split: { first: SAMPLES },
    },
  },
]

/** Whether the network's model is on this machine. */
export function isPresent({ model }: RealNetwork): boolean {
  return existsSync(`${root}${model}`)
}

function openSet(network: RealNetwork, card: object): Promise<DataSet> {
  return openDataSet(parseDataCard(card, network.name), {
    files: nodeFiles,
    decodeImage,
    folder: `${root}${network.data}`,
  })
}

/** From the model's bytes to a module, the way a user goes: read, choose numbers, compile. */
export async function compileNetwork(network: RealNetwork): Promise<{ program: CompiledProgram; plan: Plan }> {
  const graph = parseOnnx(readFileSync(`${root}${network.model}`))
  const plan = await quantize(graph, network.calibration && (await openSet(network, network.calibration)))
  return { program: compile(graph, plan), plan }
}

/** The samples as codes of the program's input: rule R1 on the real values of the data set. */
export async function integerSamples(
  network: RealNetwork,
  program: CompiledProgram,
): Promise<Record<string, Uint8Array | Int8Array>[]> {
  const set = await openSet(network, network.samples)
  const [port] = program.integerGraph.inputs
  if (port === undefined || port.layout !== 'nchw') throw new Error('a network with one input in ONNX order')
  const [low, high] = port.format === 'u8' ? [0, 255] : [-128, 127]
  const plane = set.shape.slice(set.channelAxis + 1).reduce((product, size) => product * size, 1)
  const pick = (list: readonly number[], channel: number): number => list[list.length > 1 ? channel : 0] as number
  return Promise.all(
    Array.from({ length: set.length }, async (_, index) => {
      const codes = Array.from(await set.read(index), (stored, i) => {
        const channel = Math.floor(i / plane)
        const real = pick(set.scale, channel) * (stored - pick(set.offset, channel))
        return clamp(Math.floor(real / pick(port.scale, channel) + pick(port.zeroPoint, channel) + 0.5), low, high)
      })
      return { [port.name]: port.format === 'u8' ? Uint8Array.from(codes) : Int8Array.from(codes) }
    }),
  )
}
