/**
 * The float network that computes what the program means: weights are what their codes mean, and every stored value is
 * rounded to its grid. Roundings of multipliers and biases are left out; they are far below those. Values with channel
 * scales are simulated in their own units, as the program stores them: real value / channel scale.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { addConstant, rebuild } from '../graph/rewrite.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'
import { isWeighted } from './format-choice.ts'
import { biasesOf, type Layer, layersOf, sourceOf, storedWeights, tapsOf, unitAt } from './layer.ts'
import { formatRange, type InputPlan, type Plan, type TensorPlan } from './plan.ts'
import { wideValues } from './wide-values.ts'

/**
 * A fused graph with the roundings of a plan; names of values stay, inputs are real. Of a part of a graph, `given` are the
 * layers and `wide` the values behind the last layer as the whole graph has them; 16 bits of these are not rounded to, since
 * methods have no say in their grids.
 */
export function simulatedGraph(
  graph: Graph,
  plan: Plan,
  given: readonly Layer[] = layersOf(graph, plan),
  wide: ReadonlySet<string> = wideValues(graph),
): Graph {
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
    // What is no layer with simulated weights works on real values: out of the units of its input, and into its own.
    const units = layer === undefined ? grid?.channelScales : undefined
    const given = layer === undefined && (units || isWeighted(node)) ? unitsOf(graph, plan, node) : undefined
    if (given !== undefined) {
      nodes.push(scalingNode(graph, `${name}:argument`, [node.inputs[0], inputs[0]], given, constant))
      inputs[0] = `${name}:argument`
    }
    const rounded = grid !== undefined && grid.format !== 's32' && !(grid.format === 's16' && wide.has(name))
    const real = rounded ? `${name}:real` : name
    const found = units === undefined ? real : `${name}:function`
    nodes.push({ ...node, inputs, outputs: [found, ...node.outputs.slice(1)] })
    if (units !== undefined) {
      const inverse = units.map((unit) => 1 / unit)
      nodes.push(scalingNode(graph, real, [name, found], inverse, constant))
    }
    if (rounded) nodes.push(...roundingNodes(real, name, grid, constant))
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

/** The factors of the channels of what a node reads, where these have any. */
function unitsOf(graph: Graph, plan: Plan, node: Node): readonly number[] | undefined {
  return plan.tensors[sourceOf(graph, plan, node.inputs[0])]?.channelScales
}

/** A product with a factor for each channel of a value, which the graph knows by the first name. */
function scalingNode(
  graph: Graph,
  to: string,
  [known, from]: readonly [string, string],
  factors: readonly number[],
  constant: (base: string, value: Constant) => string,
): Node {
  const rank = graph.values.get(known)?.shape.length ?? 4
  const shape = Array.from({ length: rank }, (_, axis) => (axis === 1 ? factors.length : 1))
  const values = makeConstant('float32', shape, Float64Array.from(factors))
  const inputs = [from, constant(`${to}:factors`, values)]
  return { name: to, operator: 'Mul', inputs, outputs: [to], attributes: new Map() }
}

/** The grid that float samples are rounded to; bytes of a data set are handed over as they are. */
export function inputGrid(entry: InputPlan | undefined): TensorPlan | undefined {
  if (entry === undefined) return undefined
  const { format, scale, zeroPoint } = entry
  return (format === 's8' || format === 's16') &&
    scale.length === 1 &&
    zeroPoint.length === 1 &&
    Number.isInteger(zeroPoint[0])
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
  const zero = constant(
    `${to}:zero`,
    makeConstant(format === 's16' ? 'int16' : low < 0 ? 'int8' : 'uint8', [], [zeroPoint]),
  )
  const wide = format === 'u8' || format === 's8' || format === 's16'
  const clipped = wide ? from : `${to}:clipped`
  const limits = [single('low', (low - zeroPoint) * scale), single('high', (high - zeroPoint) * scale)]
  return [
    ...(wide ? [] : [node('Clip', 'clip', [from, ...limits], clipped)]),
    node('QuantizeLinear', 'quantise', [clipped, step, zero], `${to}:codes`),
    node('DequantizeLinear', 'dequantise', [`${to}:codes`, step, zero], to),
  ]
}
