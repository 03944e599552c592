/**
 * Integers against real numbers: check A4 of HAWQ-V3 (Yao et al. 2021), stated for the rules of docs/arithmetic.md.
 *
 * A float64 simulation rounds weights to code × scale, biases to accumulator units, and every stored activation half up
 * to its scale. It knows no multiplier and no shift. It agrees with the integers at every stored value, except where the
 * real value lies within the window below of a tie, where the finite multiplier (R2) may round the other way:
 *   convolution   |accumulator| × 2^(left−s−1), plus 255 × 2^(left_r−s−1) with a residual: below 2^-20 in these networks
 *                 and below 2^-12 for outputs that stay wide, whose codes are 128 times finer
 *   average       |sum| × 2^(−s−1): below 2^-20
 *   addition      255 × 2 × 2^(−s−1): below 2^-13, since R5 has 32 bits for everything
 */
import { describe, expect, it } from 'vitest'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readNumbers, type Tensor } from '../graph/tensor.ts'
import type { Stored } from '../kernels/scalar/geometry.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { type IntegerArray, interpret } from '../program/interpret.ts'
import { formatRange, type Plan } from '../quantize/plan.ts'
import { type Line, net, noise } from '../reference/fast/net.fixture.ts'
import type { Instruction, IntegerGraph, IntegerTensor } from './integer-graph.ts'
import { byteSet, lowered, randomCodes, randomNetwork } from './network.fixture.ts'

/** Codes of every stored value as ONNX sees them (NCHW, format of the plan), by value name. */
function storedCodes(
  graph: IntegerGraph,
  inputs: ReadonlyMap<string, IntegerArray>,
  plan: Plan,
): Map<string, number[]> {
  const codes = new Map<string, number[]>()
  interpret(
    graph,
    inputs,
    (tensor: IntegerTensor, { data, stride, height, width, channels }: Stored | Stored<Int32Array>) => {
      const entry = plan.tensors[tensor.name] ?? plan.inputs[tensor.name]
      const offset = entry?.format === 'u8' ? 128 : 0
      codes.set(
        tensor.name,
        Array.from({ length: height * width * channels }, (_, i) => {
          const [c, pixel] = [Math.floor(i / (height * width)), i % (height * width)]
          return (data[pixel * stride + c] as number) + offset
        }),
      )
    },
  )
  return codes
}

/** Real weights and bias of a layer as the plan rounds them; a scale per input channel has been folded into the weights. */
function roundedLayer(graph: Graph, plan: Plan, node: Node, inputScale: number): (Tensor | undefined)[] {
  const constant = graph.constants.get(node.inputs[1] as string)
  const entry = plan.weights[node.outputs[0] as string]
  if (constant === undefined || entry === undefined) throw new Error(`no weights of ${node.name}`)
  const outputs = constant.shape[0] as number
  const real = readNumbers(constant)
  const scaleOf = (o: number): number => entry.scale[entry.scale.length > 1 ? o : 0] as number
  const range = formatRange(entry.format)
  const data = Float64Array.from(real, (value, i) => {
    const scale = scaleOf(Math.floor(i / (real.length / outputs)))
    return Math.min(range.high, Math.max(range.low, roundHalfEven(value / scale))) * scale
  })
  const bias = graph.constants.get(node.inputs[2] ?? '')
  return [
    { type: 'float64', shape: constant.shape, data },
    bias && {
      type: 'float64',
      shape: bias.shape,
      data: Float64Array.from(readNumbers(bias), (value, o) => {
        const unit = scaleOf(o) * inputScale
        return roundHalfEven(value / unit) * unit
      }),
    },
  ]
}

/**
 * What each node's real result is in units of its output scale, from the stored integers of its operands ("forced") or
 * from the simulation's own roundings. `visit` gets the unrounded code and may say how it was rounded.
 */
function simulate(
  graph: Graph,
  plan: Plan,
  input: { name: string; codes: readonly number[] },
  visit: (name: string, unrounded: Float64Array, rounded: number[]) => readonly number[],
): void {
  const reals = new Map<string, Tensor>()
  const scales = new Map<string, number>()
  const inputEntry = plan.inputs[input.name]
  const shape = graph.values.get(input.name)?.shape
  if (inputEntry === undefined || shape === undefined || inputEntry.scale.length > 1)
    throw new Error('one input, one scale')
  const [scale, zero] = [inputEntry.scale[0] as number, inputEntry.zeroPoint[0] as number]
  reals.set(input.name, {
    type: 'float64',
    shape,
    data: Float64Array.from(input.codes, (code) => (code - zero) * scale),
  })
  scales.set(input.name, scale)
  for (const node of graph.nodes) {
    const [source, output] = [node.inputs[0] as string, node.outputs[0] as string]
    const operator = operators.get(node.operator)
    const size = graph.values.get(output)?.shape
    if (operator === undefined || size === undefined) throw new Error(node.operator)
    const layer = plan.weights[output] ? roundedLayer(graph, plan, node, scales.get(source) as number) : undefined
    const operands = node.inputs.map((name, index) => {
      if (name === '') return undefined
      if (layer && (index === 1 || index === 2)) return layer[index - 1]
      const constant = graph.constants.get(name)
      return (
        reals.get(name) ??
        (constant && { type: constant.type, shape: constant.shape, data: Float64Array.from(readNumbers(constant)) })
      )
    })
    const [result] = operator.evaluate({
      ...{ node: node.name, inputs: operands, attributes: node.attributes },
      outputs: [{ type: 'float64', shape: size }],
    })
    const entry = plan.tensors[output]
    if (entry === undefined) {
      reals.set(output, result as Tensor)
      scales.set(output, scales.get(source) as number)
      continue
    }
    const range = formatRange(entry.format)
    const unrounded = Float64Array.from(
      (result as Tensor).data as Float64Array,
      (value) => value / entry.scale + entry.zeroPoint,
    )
    const rounded = Array.from(unrounded, (value) => Math.min(range.high, Math.max(range.low, Math.floor(value + 0.5))))
    const codes = visit(output, unrounded, rounded)
    const data = Float64Array.from(codes, (code) => (code - entry.zeroPoint) * entry.scale)
    reals.set(output, { type: 'float64', shape: size, data })
    scales.set(output, entry.scale)
  }
}

/** Half the distance to a tie at which rule R2's multiplier may round the other way, from the proven bounds. */
function tieWindow(instruction: Instruction): number {
  const size = ({ low, high }: { low: number; high: number }): number => Math.max(-low, high)
  switch (instruction.kind) {
    case 'convolution':
    case 'depthwise': {
      const { requantisation, residual, bounds } = instruction
      const other = residual ? 255 * 2 ** (residual.left - requantisation.shift - 1) : 0
      return size(bounds.biased) * 2 ** (-requantisation.shift - 1) + other + 2 ** -40
    }
    case 'average-pool':
      return size(instruction.bounds.accumulator) * 2 ** (-instruction.shift - 1) + 2 ** -40
    case 'add':
      return 255 * 2 * 2 ** (-instruction.shift - 1) + 2 ** -40
    default:
      return 0
  }
}

/** A residual network of CIFAR's form, small: stem, two blocks, one with stride and projection, average, dense. */
function residualNetwork(): Graph {
  const weights = (seed: number, ...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const spread = 1.7 / Math.sqrt(count / (shape[0] as number))
    return { shape, values: noise(count, seed).map((value) => value * spread) }
  }
  const conv = (input: string, seed: number, from: number, to: number, kernel: number, stride = 1): Line => ({
    operator: 'Conv',
    inputs: [
      input,
      weights(seed, to, from, kernel, kernel),
      { shape: [to], values: noise(to, seed + 500).map((value) => value / 4) },
    ],
    attributes: { strides: [stride, stride], pads: new Array<number>(4).fill((kernel - 1) >> 1) },
  })
  const relu = (input: string): Line => ({ operator: 'Relu', inputs: [input] })
  return net({ x: [1, 3, 12, 12] }, [
    conv('x', 1, 3, 8, 3),
    relu('v0'),
    conv('v1', 2, 8, 8, 3),
    relu('v2'),
    conv('v3', 3, 8, 8, 3),
    { operator: 'Add', inputs: ['v4', 'v1'] },
    relu('v5'),
    conv('v6', 4, 8, 12, 3, 2),
    relu('v7'),
    conv('v8', 5, 12, 12, 3),
    conv('v6', 6, 8, 12, 1, 2),
    { operator: 'Add', inputs: ['v9', 'v10'] },
    relu('v11'),
    { operator: 'GlobalAveragePool', inputs: ['v12'] },
    { operator: 'Flatten', inputs: ['v13'] },
    {
      operator: 'Gemm',
      inputs: ['v14', weights(7, 10, 12), { shape: [10], values: noise(10, 507) }],
      attributes: { transB: 1 },
    },
  ])
}

/** Compares all stored values of `samples` random inputs; gives counts and the widest window that was needed. */
function compareSimulation(graph: Graph, plan: Plan, integers: IntegerGraph, samples: number) {
  const found = { values: 0, nearTies: 0, different: 0, narrowWindow: 0, wideWindow: 0, addWindow: 0 }
  const [inputName] = integers.inputs.map(({ name }) => name)
  const instructions = new Map(integers.instructions.map((one) => [one.kind === 'export' ? '' : one.output.name, one]))
  for (let sample = 0; sample < samples; sample++) {
    const inputs = randomCodes(integers, 900 + sample)
    const codes = storedCodes(integers, inputs, plan)
    const input = { name: inputName as string, codes: Array.from(inputs.get(inputName as string) as Uint8Array) }
    simulate(graph, plan, input, (name, unrounded, rounded) => {
      const stored = codes.get(name) as number[]
      const instruction = instructions.get(name) as Instruction
      const window = tieWindow(instruction)
      if (instruction.kind === 'add') found.addWindow = Math.max(found.addWindow, window)
      else if (plan.tensors[name]?.format === 's16') found.wideWindow = Math.max(found.wideWindow, window)
      else found.narrowWindow = Math.max(found.narrowWindow, window)
      for (const [index, code] of stored.entries()) {
        const value = unrounded[index] as number
        const fraction = value - Math.floor(value)
        const near = Math.abs(fraction - 0.5) <= window
        found.values++
        if (near) found.nearTies++
        if (code !== rounded[index]) {
          found.different++
          if (!near || Math.abs(code - (rounded[index] as number)) !== 1)
            expect([name, index, value, code]).toEqual([name, index, value, rounded[index]])
        }
      }
      // The next layer sees the program's integers, so that one near tie does not hide what follows.
      return stored
    })
  }
  return found
}

describe('A4: integers equal the float64 simulation', () => {
  it('a residual network, at every stored value', async () => {
    const graph = residualNetwork()
    const { compiled, plan, integers } = await lowered(graph, byteSet([3, 12, 12]))
    expect(integers.instructions.filter((one) => 'residual' in one && one.residual !== undefined)).toHaveLength(2)
    const found = compareSimulation(compiled, plan, integers, 8)
    expect(found.values).toBeGreaterThan(30_000)
    expect(found.narrowWindow).toBeLessThan(2 ** -20)
    expect(found.wideWindow).toBeLessThan(2 ** -12)
    expect([found.different, found.nearTies]).toEqual([0, 0])
  })

  it('free of the integers too: the simulation alone gives the same outputs', async () => {
    const { compiled, plan, integers } = await lowered(residualNetwork(), byteSet([3, 12, 12]))
    const inputs = randomCodes(integers, 4)
    const codes = storedCodes(integers, inputs, plan)
    const last = new Map<string, number[]>()
    simulate(compiled, plan, { name: 'x', codes: Array.from(inputs.get('x') as Uint8Array) }, (name, _, rounded) => {
      last.set(name, rounded)
      return rounded
    })
    for (const [name, rounded] of last) expect([name, codes.get(name)]).toEqual([name, rounded])
  })

  it('random networks, with separate additions and unsigned or signed activations', async () => {
    let compared = 0
    let values = 0
    for (let seed = 0; seed < 60; seed++) {
      const { graph, set } = randomNetwork(seed)
      // The simulation has one scale per input, and tables come from float32 operands (R7).
      if (
        set.scale.length > 1 ||
        graph.nodes.some(({ operator }) => ['Sigmoid', 'HardSwish', 'LeakyRelu'].includes(operator))
      )
        continue
      const { compiled, plan, integers } = await lowered(graph, set, {
        activations: seed % 2 === 0 ? 'u8' : 's8',
        symmetric: seed % 3 === 0,
      })
      const found = compareSimulation(compiled, plan, integers, 2)
      expect(found.narrowWindow).toBeLessThan(2 ** -20)
      expect(found.wideWindow).toBeLessThan(2 ** -12)
      expect(found.addWindow).toBeLessThan(2 ** -13)
      expect(found.different).toBeLessThanOrEqual(found.nearTies)
      compared++
      values += found.values
    }
    expect(compared).toBeGreaterThan(10)
    expect(values).toBeGreaterThan(10_000)
  })
})
