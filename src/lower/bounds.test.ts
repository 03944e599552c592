/**
 * The interval proofs against exact integers: no random input leaves a bound, and for every instruction without padding an
 * input made from the signs of the weights attains each one.
 */
import { describe, expect, it } from 'vitest'
import { channelStride, type Stored } from '../kernels/scalar/geometry.ts'
import { INT8, INT32, type Interval, interval } from '../num/interval.ts'
import { requantizeExact } from '../num/requantize.ts'
import { type IntegerArray, interpret } from '../program/interpret.ts'
import { loadGraph, runNetwork } from '../program/program.fixture.ts'
import { proveAdd, proveAverage, proveConvolution } from './bounds.ts'
import { certify } from './certificate.ts'
import type {
  AveragePoolInstruction,
  ConvolutionInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  StorageFormat,
} from './integer-graph.ts'
import { lowered, randomCodes, randomNetwork } from './network.fixture.ts'

type Tensors = ReadonlyMap<number, Stored>

const inside = (value: bigint | number, { low, high }: Interval): boolean => value >= low && value <= high

/** Value of a stored tensor, undefined outside it. */
function at(tensor: Stored, y: number, x: number, c: number): bigint | undefined {
  if (y < 0 || x < 0 || y >= tensor.height || x >= tensor.width) return undefined
  return BigInt(tensor.data[(y * tensor.width + x) * tensor.stride + c] as number)
}

/** The terms of one output element, in the order of the weights; taps in the padding are left out. */
function terms(instruction: ConvolutionInstruction, input: Tensors, h: number, w: number, o: number): bigint[] {
  const { window, groups, weights, weightZeroPoints, inputZeroPoints } = instruction
  const inputs = instruction.input.channels / groups
  const first = Math.floor(o / (instruction.output.channels / groups)) * inputs
  const stored = input.get(instruction.input.id) as Stored
  const found: bigint[] = []
  let position = o * window.kernel[0] * window.kernel[1] * inputs
  for (let i = 0; i < window.kernel[0]; i++)
    for (let j = 0; j < window.kernel[1]; j++)
      for (let c = first; c < first + inputs; c++) {
        const y = h * window.strides[0] + i * window.dilations[0] - window.pads[0]
        const x = w * window.strides[1] + j * window.dilations[1] - window.pads[1]
        const value = at(stored, y, x, c)
        const weight = BigInt(weights[position++] as number) - BigInt(weightZeroPoints[o] as number)
        if (value !== undefined) found.push((value - BigInt(inputZeroPoints[c] as number)) * weight)
      }
  return found
}

/** Checks every output element of a convolution against its definition on BigInt, and every step against its bound. */
function checkConvolution(instruction: ConvolutionInstruction, tensors: Tensors): void {
  const { bounds, requantisation, residual, clamp, output } = instruction
  const shift = BigInt(requantisation.shift)
  const stored = tensors.get(output.id) as Stored
  for (let h = 0; h < output.height; h++)
    for (let w = 0; w < output.width; w++)
      for (let o = 0; o < output.channels; o++) {
        const parts = terms(instruction, tensors, h, w, o)
        // The extremes of all partial sums, over every order of summation.
        const least = parts.reduce((sum, term) => sum + (term < 0n ? term : 0n), 0n)
        const most = parts.reduce((sum, term) => sum + (term > 0n ? term : 0n), 0n)
        const sum = least + most
        const biased = (sum + BigInt(instruction.bias[o] as number)) << BigInt(requantisation.left)
        let product = biased * BigInt(requantisation.multipliers[o] as number)
        if (residual) {
          const other = (at(tensors.get(residual.input.id) as Stored, h, w, o) as bigint) - BigInt(residual.zeroPoint)
          product += (other << BigInt(residual.left)) * BigInt(residual.multiplier)
        }
        const requantised = requantizeExact(product, 1n, shift)
        const code = Number(requantised) + instruction.outputZeroPoint
        const expected = Math.min(clamp.high, Math.max(clamp.low, code))
        if (
          !inside(least, bounds.accumulator) ||
          !inside(most, bounds.accumulator) ||
          !inside(biased, bounds.biased) ||
          !inside(requantised, bounds.requantised) ||
          !inside(expected, output.range) ||
          at(stored, h, w, o) !== BigInt(expected)
        )
          expect({
            name: instruction.name,
            h,
            w,
            o,
            least,
            most,
            biased,
            requantised,
            stored: at(stored, h, w, o),
          }).toEqual({
            bounds,
            expected,
          })
      }
}

function checkInstruction(instruction: Instruction, tensors: Tensors): void {
  if (instruction.kind === 'convolution' || instruction.kind === 'depthwise') checkConvolution(instruction, tensors)
  if (instruction.kind === 'export') return
  const stored = tensors.get(instruction.output.id) as Stored
  for (let position = 0; position < stored.height * stored.width; position++)
    for (let c = 0; c < stored.channels; c++)
      if (!inside(stored.data[position * stored.stride + c] as number, instruction.output.range))
        expect([instruction.name, stored.data[position * stored.stride + c]]).toEqual(instruction.output.range)
}

function run(graph: IntegerGraph, inputs: ReadonlyMap<string, IntegerArray>): Tensors {
  const tensors = new Map<number, Stored>()
  interpret(graph, inputs, (tensor, stored) => void tensors.set(tensor.id, stored))
  return tensors
}

/** A program of one instruction: its operands come from the caller, its result leaves unclamped in 32 bits. */
function alone(
  instruction: Exclude<Instruction, { kind: 'import' | 'export' }>,
  operands: IntegerTensor[],
  wide: Instruction,
): IntegerGraph {
  const { output } = wide as Exclude<Instruction, { kind: 'export' }>
  const port = (tensor: IntegerTensor, name: string, format: StorageFormat) => ({
    ...{ name, format, layout: 'nhwc' as const, scale: [1], zeroPoint: [0] },
    shape: [1, tensor.channels, tensor.height, tensor.width],
  })
  return {
    name: instruction.name,
    inputs: operands.map((tensor) => port(tensor, tensor.name, tensor.format)),
    outputs: [port(output, 'y', output.format)],
    tensors: [...operands, output],
    instructions: [
      ...operands.map((tensor) => ({
        ...{ kind: 'import' as const, name: tensor.name, output: tensor, inputName: tensor.name },
        ...{ format: tensor.format as 's8' | 's16', layout: 'nhwc' as const },
      })),
      wide,
      {
        ...{ kind: 'export' as const, name: 'y', input: output, outputName: 'y', format: output.format, start: 0 },
        loops: [
          { count: output.height * output.width, step: channelStride(output.channels) },
          { count: output.channels, step: 1 },
        ],
      },
    ],
  }
}

/** The instruction over exactly one window, without padding: its adversary is free to choose every operand. */
function oneWindow(instruction: ConvolutionInstruction): {
  graph: IntegerGraph
  bounds: ConvolutionInstruction['bounds']
} {
  const { window, residual } = instruction
  const extent = (axis: 0 | 1): number => (window.kernel[axis] - 1) * window.dilations[axis] + 1
  const input = { ...instruction.input, id: 0, name: 'x', height: extent(0), width: extent(1) }
  const other = residual && { ...residual.input, id: 1, name: 'r', height: 1, width: 1 }
  // A residual needs the 8-bit form of the kernel; its result is then read through the clamp.
  const free = residual === undefined
  const output = {
    ...{ ...instruction.output, id: 2, name: 'y', height: 1, width: 1 },
    ...(free && { format: 's32' as const, range: INT32 }),
  }
  const made: ConvolutionInstruction = {
    ...instruction,
    input,
    output,
    window: { ...window, pads: [0, 0, 0, 0], strides: [1, 1] },
    residual: residual && other && { ...residual, input: other },
    outputZeroPoint: free ? 0 : instruction.outputZeroPoint,
    clamp: free ? INT32 : instruction.clamp,
  }
  const bounds = proveConvolution({
    ...{ where: 'x', weights: made.weights, weightZeroPoints: made.weightZeroPoints, outputs: output.channels },
    ...{
      groups: made.groups,
      inputChannels: input.channels,
      inputRange: input.range,
      inputZeroPoints: made.inputZeroPoints,
    },
    ...{ padded: false, bias: made.bias, requantisation: made.requantisation, residual: made.residual },
  })
  return { graph: alone(made, other ? [input, other] : [input], made), bounds }
}

/** For every output channel and both ends: the input of extreme codes that the signs of the weights ask for. */
function attack(instruction: ConvolutionInstruction): void {
  const { graph, bounds } = oneWindow(instruction)
  const made = graph.instructions.find((one) => 'weights' in one) as ConvolutionInstruction
  const network = loadGraph(graph)
  const { input, groups, weights, weightZeroPoints, window, residual } = made
  const [inputs, outputs] = [input.channels / groups, made.output.channels / groups]
  const found = { least: 0n, most: 0n, biased: [] as bigint[], result: [] as number[] }
  for (let o = 0; o < made.output.channels; o++)
    for (const end of ['low', 'high'] as const) {
      const codes = new Int8Array(input.height * input.width * input.channels).fill(input.range.high)
      let position = o * window.kernel[0] * window.kernel[1] * inputs
      for (let i = 0; i < window.kernel[0]; i++)
        for (let j = 0; j < window.kernel[1]; j++)
          for (let c = 0; c < inputs; c++) {
            const grows = (weights[position++] as number) > (weightZeroPoints[o] as number)
            const pixel = i * window.dilations[0] * input.width + j * window.dilations[1]
            codes[pixel * input.channels + Math.floor(o / outputs) * inputs + c] =
              grows === (end === 'high') ? input.range.high : input.range.low
          }
      const given = new Map<string, IntegerArray>([['x', codes]])
      if (residual)
        given.set(
          'r',
          (residual.input.format === 's16'
            ? new Int16Array(residual.input.channels)
            : new Int8Array(residual.input.channels)
          ).fill(residual.input.range[end]),
        )
      const tensors = run(graph, given)
      checkConvolution({ ...made, bounds }, tensors)
      expect(runNetwork(network, given)).toEqual(interpret(graph, given))
      const parts = terms(made, tensors, 0, 0, o)
      const partial = (positive: boolean): bigint =>
        parts.reduce((sum, term) => sum + (term > 0n === positive ? term : 0n), 0n)
      if (partial(false) < found.least) found.least = partial(false)
      if (partial(true) > found.most) found.most = partial(true)
      const sum = parts.reduce((total, term) => total + term, 0n)
      found.biased.push((sum + BigInt(made.bias[o] as number)) << BigInt(made.requantisation.left))
      found.result.push(Number(at(tensors.get(made.output.id) as Stored, 0, 0, o)))
    }
  const bigLeast = (values: bigint[]): number => Number(values.reduce((a, b) => (a < b ? a : b)))
  const bigMost = (values: bigint[]): number => Number(values.reduce((a, b) => (a > b ? a : b)))
  const codes = (value: number): number =>
    Math.min(made.clamp.high, Math.max(made.clamp.low, value + made.outputZeroPoint))
  expect({
    accumulator: interval(Number(found.least), Number(found.most)),
    biased: interval(bigLeast(found.biased), bigMost(found.biased)),
    result: interval(Math.min(...found.result), Math.max(...found.result)),
  }).toEqual({
    accumulator: bounds.accumulator,
    biased: bounds.biased,
    result: interval(codes(bounds.requantised.low), codes(bounds.requantised.high)),
  })
  // Without padding the network's own bounds are these.
  if (instruction.window.pads.every((pad) => pad === 0)) expect(instruction.bounds).toEqual(bounds)
}

describe('the bounds of whole random networks', () => {
  it('are never left by random inputs, and every code equals its definition on BigInt', async () => {
    const kinds = new Map<string, number>()
    for (let seed = 0; seed < 30; seed++) {
      const { graph, set } = randomNetwork(seed)
      const { integers } = await lowered(graph, set)
      for (const sample of [1, 2]) {
        const tensors = run(integers, randomCodes(integers, 100 * seed + sample))
        for (const instruction of integers.instructions) checkInstruction(instruction, tensors)
      }
      for (const { kind } of integers.instructions) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    }
    for (const kind of ['convolution', 'depthwise', 'add', 'max-pool', 'average-pool', 'table'])
      expect([kind, (kinds.get(kind) ?? 0) >= 4]).toEqual([kind, true])
  })

  it('are attained by an adversary, in the scalar meaning and in WebAssembly', async () => {
    let attacked = 0
    let unpadded = 0
    let residuals = 0
    for (let seed = 0; seed < 20; seed++) {
      const { graph, set } = randomNetwork(seed)
      const { integers } = await lowered(graph, set)
      for (const instruction of integers.instructions) {
        if (instruction.kind !== 'convolution' && instruction.kind !== 'depthwise') continue
        attack(instruction)
        attacked++
        if (instruction.residual) residuals++
        if (instruction.window.pads.every((pad) => pad === 0)) unpadded++
      }
    }
    expect([attacked > 40, unpadded > 20, residuals > 0]).toEqual([true, true, true])
  })

  it('are listed in the certificate, one row for every instruction that computes', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { graph, set } = randomNetwork(seed)
      const { integers } = await lowered(graph, set)
      const certificate = certify(integers)
      const computing = ['convolution', 'depthwise', 'add', 'average-pool', 'rescale', 'multiply']
      const wanted = integers.instructions.filter(({ kind }) => computing.includes(kind))
      expect(certificate.rows.map(({ name }) => name)).toEqual(wanted.map(({ name }) => name))
      for (const { accumulator, biased, requantised, stored } of certificate.rows)
        for (const [low, high] of [accumulator, biased, requantised, stored]) {
          expect(low).toBeLessThanOrEqual(high)
          expect(inside(low, INT32) && inside(high, INT32)).toBe(true)
        }
      expect(certificate.largestAccumulator).toBeLessThan(2 ** 31)
      expect(certificate.headroomBits).toBe(Math.floor(31 - Math.log2(certificate.largestAccumulator)))
      expect(certificate.integerGraph).toMatch(/^[0-9a-f]{64}$/)
    }
  })
})

describe('proveConvolution', () => {
  const proof = (weights: number[], change: Partial<Parameters<typeof proveConvolution>[0]> = {}) =>
    proveConvolution({
      ...{ where: 'fc', weights: Int8Array.from(weights), weightZeroPoints: new Int16Array(1), outputs: 1, groups: 1 },
      ...{
        inputChannels: weights.length,
        inputRange: INT8,
        inputZeroPoints: new Int16Array(weights.length),
        padded: false,
      },
      ...{ bias: new Int32Array(1), requantisation: { multipliers: Int32Array.of(1), shift: 62, left: 0 } },
      ...change,
    })

  it('knows that partial sums can be larger than the whole', () => {
    const bounds = proof([1, -1], { inputRange: interval(10, 20) })
    expect(bounds.accumulator).toEqual({ low: -20, high: 20 })
    expect(bounds.biased).toEqual({ low: -10, high: 10 })
  })

  it('counts padding as 0', () => {
    const range = { inputRange: interval(10, 20) }
    expect(proof([3], { ...range, padded: false }).biased).toEqual({ low: 30, high: 60 })
    expect(proof([3], { ...range, padded: true }).biased).toEqual({ low: 0, high: 60 })
  })

  it('refuses the first tap that can overflow, naming layer, channel and bound', () => {
    // Codes −128 times weights 127: 2^31 / (128 × 127) = 132104.1 taps fit.
    const taps = 132_104
    const zero = (length: number) => ({ inputZeroPoints: new Int16Array(length) })
    expect(proof(new Array<number>(taps).fill(127), zero(taps)).accumulator.low).toBe(-taps * 128 * 127)
    expect(() => proof(new Array<number>(taps + 1).fill(127), zero(taps + 1))).toThrow(
      /layer "fc": the accumulator of output channel 0 can reach \[-2147498880, .*beyond int32/,
    )
  })

  it('refuses a bias and a left shift that leave int32', () => {
    const near = 2 ** 31 - 1 - 127
    expect(proof([1], { bias: Int32Array.of(near) }).biased.high).toBe(2 ** 31 - 1)
    expect(() => proof([1], { bias: Int32Array.of(near + 1) })).toThrow(/accumulator plus bias of output channel 0/)
    const shifted = (left: number) => ({ requantisation: { multipliers: Int32Array.of(1), shift: 32, left } })
    expect(proof([1], shifted(24)).biased.low).toBe(-(2 ** 31))
    expect(() => proof([1], shifted(25))).toThrow(/beyond int32/)
  })

  it('refuses a residual whose left shift leaves int32', () => {
    const input = {
      id: 0,
      name: 'r',
      format: 's8',
      height: 1,
      width: 1,
      channels: 1,
      scale: 1,
      zeroPoint: 0,
      range: INT8,
    } as const
    const residual = (left: number) => ({ residual: { input, zeroPoint: 0, multiplier: 1, left } })
    expect(() => proof([1], residual(24))).not.toThrow()
    expect(() => proof([1], residual(25))).toThrow(/the shifted residual can reach/)
  })
})

describe('additions and averages', () => {
  it('attain the bounds of an addition at the ends of both operands', () => {
    const [left, right] = [interval(-200, 55), interval(-3, 128)]
    const bounds = proveAdd('add', left, 40_000, right, 70_000, 16)
    const value = (a: number, b: number): number => (a * 40_000 + b * 70_000 + 2 ** 15) >> 16
    expect(bounds.requantised).toEqual({ low: value(-200, -3), high: value(55, 128) })
    expect(() => proveAdd('add', interval(0, 255), 2 ** 23, right, 1, 16)).not.toThrow()
    expect(() => proveAdd('add', interval(0, 256), 2 ** 23, right, 1, 16)).toThrow(/layer "add": a scaled addend/)
  })

  it('attain the bounds of an average by constant inputs', async () => {
    const made = proveAverage('pool', INT8, -3, 49, 2 ** 30, 36)
    expect(made.accumulator).toEqual({ low: -125 * 49, high: 130 * 49 })
    for (let seed = 0; seed < 40; seed++) {
      const { graph, set } = randomNetwork(seed)
      const { integers } = await lowered(graph, set)
      const pool = integers.instructions.find((one): one is AveragePoolInstruction => one.kind === 'average-pool')
      if (pool === undefined) continue
      const ends = [pool.input.range.low, pool.input.range.high].map((code) => {
        const sum = BigInt((code - pool.inputZeroPoint) * 9)
        return Number(requantizeExact(sum, BigInt(pool.multiplier), BigInt(pool.shift)))
      })
      // The proof also allows for padding, whose taps are 0.
      expect(pool.bounds.requantised).toEqual({
        low: Math.min(0, ends[0] as number),
        high: Math.max(0, ends[1] as number),
      })
    }
  })
})
