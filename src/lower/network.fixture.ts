/** Small float networks and data sets for tests of calibration and lowering, and their integer graphs. */
import { expect } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import { DyadicError } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { type IntegerArray, interpret } from '../program/interpret.ts'
import { createRandom, loadGraph, runNetwork } from '../program/program.fixture.ts'
import { type CalibrateOptions, calibrate } from '../quantize/calibrate.ts'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { type Line, net, noise } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import type { IntegerGraph } from './integer-graph.ts'
import { lower } from './lower.ts'

/** Random bytes with the affine map of pictures; `channels` maps, or one for all. */
export function byteSet(
  shape: readonly number[],
  options: { perChannel?: boolean; seed?: number; length?: number } = {},
): DataSet {
  const { perChannel = false, seed = 1, length = 6 } = options
  const random = createRandom(seed)
  const samples = Array.from({ length }, () => random.bytes(elementCount(shape)))
  const channels = perChannel ? (shape[0] as number) : 1
  return {
    name: 'bytes',
    length,
    elementType: 'uint8',
    shape,
    channelAxis: 0,
    scale: Array.from({ length: channels }, (_, c) => 1 / (60 + 10 * c)),
    // Fractions only where they can be one per channel: the simulation below wants integer zero points otherwise.
    offset: Array.from({ length: channels }, (_, c) => (perChannel ? 116.25 + 7 * c : 120)),
    label: () => undefined,
    read: async (index) => samples[index] as Uint8Array,
    describe: (index) => `sample ${index}`,
  }
}

/** Random real numbers in [−1, 1). */
export function floatSet(shape: readonly number[], seed = 1, length = 6): DataSet {
  return {
    ...byteSet(shape, { seed, length }),
    name: 'floats',
    elementType: 'float32',
    scale: [1],
    offset: [0],
    read: async (index) => Float32Array.from(noise(elementCount(shape), seed * 100 + index)),
  }
}

/**
 * A chain of convolutions (some with normalisation), activations, pools and additions, ended by a dense layer or a global
 * average. Spatial size 4 to 9, 1 to 10 channels.
 */
export function randomNetwork(seed: number): { graph: Graph; set: DataSet } {
  const random = createRandom(seed)
  let [channels, height, width] = [random.between(1, 4), random.between(4, 9), random.between(4, 9)]
  const shape = [channels, height, width]
  const lines: Line[] = []
  const push = (line: Line): string => `v${lines.push(line) - 1}`
  let value = 'x'
  /** Values with their shapes, which later additions may read. */
  const made: { name: string; channels: number; height: number; width: number }[] = []
  const fan = (count: number): number => 1 / Math.sqrt(count)
  const parameter = (sizes: readonly number[], spread: number, offset = 0) => ({
    shape: sizes,
    values: noise(elementCount(sizes), random.between(1, 1e6)).map((number) => number * spread + offset),
  })
  const steps = random.between(3, 7)
  for (let step = 0; step < steps; step++) {
    const kind = random.pick(['conv', 'conv', 'depthwise', 'add', 'max', 'average', 'table'] as const)
    if (kind === 'conv' || kind === 'depthwise' || step === 0) {
      const kernel = random.pick([1, 2, 3].filter((size) => size <= Math.min(height, width)))
      const padded = random.chance(0.5)
      const pads = padded ? [(kernel - 1) >> 1, (kernel - 1) >> 1, kernel >> 1, kernel >> 1] : [0, 0, 0, 0]
      const groups = kind === 'depthwise' ? channels : 1
      const outputs = kind === 'depthwise' ? channels : random.between(1, 10)
      const taps = (channels / groups) * kernel * kernel
      const bias = random.chance(0.7) ? [parameter([outputs], 0.5)] : []
      value = push({
        operator: 'Conv',
        inputs: [value, parameter([outputs, channels / groups, kernel, kernel], 2 * fan(taps)), ...bias],
        attributes: { pads, group: groups },
      })
      if (!padded) {
        height -= kernel - 1
        width -= kernel - 1
      }
      channels = outputs
      if (random.chance(0.3)) {
        const [scale, variance] = [parameter([channels], 0.3, 1), parameter([channels], 0.3, 1)]
        value = push({
          operator: 'BatchNormalization',
          inputs: [value, scale, parameter([channels], 0.2), parameter([channels], 0.2), variance],
        })
      }
    } else if (kind === 'add') {
      const alike = made.filter(
        (other) => other.channels === channels && other.height === height && other.width === width,
      )
      if (alike.length === 0) continue
      value = push({ operator: 'Add', inputs: [value, random.pick(alike).name] })
    } else if (kind === 'max' || kind === 'average') {
      if (Math.min(height, width) < 3) continue
      value = push({
        operator: kind === 'max' ? 'MaxPool' : 'AveragePool',
        inputs: [value],
        attributes: { kernel_shape: [3, 3], strides: [1, 1] },
      })
      height -= 2
      width -= 2
    } else value = push({ operator: random.pick(['Sigmoid', 'HardSwish', 'LeakyRelu']), inputs: [value] })
    if (kind !== 'max' && random.chance(0.4)) value = push({ operator: 'Relu', inputs: [value] })
    made.push({ name: value, channels, height, width })
  }
  const flat = push({ operator: 'Flatten', inputs: [value] })
  const inputs = channels * height * width
  push({
    operator: 'Gemm',
    inputs: [flat, parameter([5, inputs], 2 * fan(inputs)), parameter([5], 0.3)],
    attributes: { transB: 1 },
  })
  const graph = net({ x: [1, ...shape] }, lines)
  return {
    graph,
    set: random.chance(0.3) ? floatSet(shape, seed) : byteSet(shape, { seed, perChannel: random.chance(0.4) }),
  }
}

/** The fused graph, its calibrated plan and its integer graph. */
export async function lowered(
  graph: Graph,
  set: DataSet,
  options: CalibrateOptions = {},
): Promise<{ compiled: Graph; plan: Plan; integers: IntegerGraph }> {
  const { compiled } = prepare(graph)
  const plan = await calibrate(compiled, set, options)
  return { compiled, plan, integers: lower(compiled, plan) }
}

/** Random codes for the inputs of an integer graph. */
export function randomCodes(graph: IntegerGraph, seed: number): Map<string, IntegerArray> {
  const random = createRandom(seed)
  return new Map(
    graph.inputs.map((port) => {
      const bytes = random.bytes(elementCount(port.shape))
      return [port.name, port.format === 'u8' ? bytes : new Int8Array(bytes.buffer)]
    }),
  )
}

/** The error that an action throws. */
export function refusal(action: () => unknown): DyadicError {
  try {
    action()
  } catch (error) {
    if (error instanceof DyadicError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** A constant of noise. */
export const weights = (...shape: number[]) => ({ shape })

/** A convolution by noise, [outputs, inputs, height, width]. */
export const conv = (input: string, ...shape: number[]): Line => ({
  operator: 'Conv',
  inputs: [input, weights(...shape)],
})

/** Largest difference between program and float network for each output, in steps of the output's scale. */
export function stepErrors(graph: Graph, plan: Plan, integers: IntegerGraph): Record<string, number> {
  const inputs = randomCodes(integers, 3)
  const found = interpret(integers, inputs)
  expect(runNetwork(loadGraph(integers), inputs)).toEqual(found)
  const reals = new Map(
    graph.inputs.map((name) => {
      const { scale, zeroPoint } = plan.inputs[name] as Plan['inputs'][string]
      const codes = inputs.get(name) as Uint8Array
      const plane = codes.length / (graph.values.get(name)?.shape[1] as number)
      const at = (list: readonly number[], i: number): number =>
        list[list.length > 1 ? Math.floor(i / plane) : 0] as number
      return [name, Float32Array.from(codes, (code, i) => (code - at(zeroPoint, i)) * at(scale, i))]
    }),
  )
  const expected = createReferenceExecutor(graph).run(reals)
  return Object.fromEntries(
    integers.outputs.map(({ name, scale: [scale = 1], zeroPoint: [zero = 0] }) => [
      name,
      Math.max(
        ...Array.from(found.get(name) as Uint8Array, (code, i) =>
          Math.abs(code - zero - ((expected.get(name) as Float32Array)[i] as number) / scale),
        ),
      ),
    ]),
  )
}

/** The largest of all outputs' errors. */
export const worstStep = (graph: Graph, plan: Plan, integers: IntegerGraph): number =>
  Math.max(...Object.values(stepErrors(graph, plan, integers)))

/** The largest difference of any output in real numbers, relative to its largest code. */
export function relativeError(graph: Graph, plan: Plan, integers: IntegerGraph): number {
  const found = interpret(integers, randomCodes(integers, 3))
  const errors = stepErrors(graph, plan, integers)
  return Math.max(
    ...integers.outputs.map(({ name, zeroPoint: [zero = 0] }) => {
      const codes = Array.from(found.get(name) as Int16Array, (code) => Math.abs(code - zero))
      return (errors[name] as number) / Math.max(...codes, 1)
    }),
  )
}
