/**
 * The float network that computes what the program means: weights are what their codes mean, and every stored value is
 * rounded to its grid. Roundings of multipliers and biases are left out; they are far below those. Values with channel
 * scales are simulated in their own units, as the program stores them: real value / channel scale.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { addConstant, rebuild } from '../graph/rewrite.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'
import { biasesOf, type Layer, layersOf, storedWeights, tapsOf, unitAt } from './layer.ts'
import { formatRange, type InputPlan, type Plan, type TensorPlan } from './plan.ts'

/**
 * A fused graph with the roundings of a plan; names of values stay, inputs are real. Of a part of a graph, `given` are the
 * layers as the whole graph has them.
 */
export function simulatedGraph(graph: Graph, plan: Plan, given: readonly Layer[] = layersOf(graph, plan)): Graph {
  const constants = new Map(graph.constants)
  const layers = new Map(given.map((layer) => [layer.name, layer]))
  const constant = (base: string, value: Constant): string => addConstant(graph, constants, base, value)
  const nodes: Node[] = []
  const renamed = new Map<string, string>()
  for (const name of graph.inputs) {
    const grid = inputGrid(plan.inputs[name])
    if (grid === undefined) continue
    renamed.set(name, roundedInput(name))
    nodes.push(...roundingNodes(name, roundedInput(name), grid, constant))
  }
  for (const node of graph.nodes) {
    const [name] = node.outputs
    const layer = layers.get(name)
    const inputs = node.inputs.map((input) => renamed.get(input) ?? input)
    if (layer !== undefined) {
      const scales = plan.tensors[name]?.channelScales
      inputs[1] = constant(`${name}:weights`, simulatedWeights(graph, node, layer, plan, scales))
      const biases = Float64Array.from(biasesOf(layer, plan), (bias, o) => bias / (scales?.[o] ?? 1))
      inputs[2] = constant(`${name}:bias`, makeConstant('float32', [layer.outputs], biases))
    }
    const grid = Object.hasOwn(plan.tensors, name) ? plan.tensors[name] : undefined
    if (grid === undefined || grid.format === 's32' || grid.format === 's16') {
      nodes.push({ ...node, inputs })
      continue
    }
    const real = `${name}:real`
    nodes.push({ ...node, inputs, outputs: [real] }, ...roundingNodes(real, name, grid, constant))
  }
  return rebuild(graph, { nodes, constants })
}

/** The value of a simulated graph that is a float network input rounded to its codes. */
export function roundedInput(name: string): string {
  return `${name}:rounded`
}

function simulatedWeights(
  graph: Graph,
  node: Node,
  layer: Layer,
  plan: Plan,
  outputScales: readonly number[] | undefined,
): Constant {
  const taps = tapsOf(layer)
  const stored = storedWeights(layer, plan.weights[layer.name]).map((weight, i) => {
    const o = Math.floor(i / taps)
    return weight / unitAt(layer, o, i % taps) / (outputScales?.[o] ?? 1)
  })
  return makeConstant('float32', graph.constants.get(node.inputs[1])?.shape ?? [], stored)
}

/** The grid that float samples are rounded to; bytes of a data set are handed over as they are. */
export function inputGrid(entry: InputPlan | undefined): TensorPlan | undefined {
  if (entry === undefined) return undefined
  const { format, scale, zeroPoint } = entry
  return format === 's8' && scale.length === 1 && zeroPoint.length === 1 && Number.isInteger(zeroPoint[0])
    ? { format, scale: scale[0], zeroPoint: zeroPoint[0] }
    : undefined
}

/** Rounding to a grid as operators: a clip where bytes have more codes than the format, then to codes and back. */
function roundingNodes(
  from: string,
  to: string,
  { format, scale, zeroPoint }: TensorPlan,
  constant: (base: string, value: Constant) => string,
): Node[] {
  const single = (base: string, value: number): string =>
    constant(`${to}:${base}`, makeConstant('float32', [], [value]))
  const node = (operator: string, step: string, inputs: string[], output: string): Node => ({
    ...{ name: `${to}:${step}`, operator, inputs, outputs: [output], attributes: new Map() },
  })
  const { low, high } = formatRange(format)
  const step = single('scale', scale)
  const zero = constant(`${to}:zero`, makeConstant(low < 0 ? 'int8' : 'uint8', [], [zeroPoint]))
  const wide = format === 'u8' || format === 's8'
  const clipped = wide ? from : `${to}:clipped`
  const limits = [single('low', (low - zeroPoint) * scale), single('high', (high - zeroPoint) * scale)]
  return [
    ...(wide ? [] : [node('Clip', 'clip', [from, ...limits], clipped)]),
    node('QuantizeLinear', 'quantise', [clipped, step, zero], `${to}:codes`),
    node('DequantizeLinear', 'dequantise', [`${to}:codes`, step, zero], to),
  ]
}
