/**
 * What a model file becomes before any number is chosen: the graph for float inference, the graph that is compiled, and,
 * where the file is quantised already, the plan that its own scales make.
 */
import { DyadicError, quoted } from '../error.ts'
import { fuse } from '../graph/fuse.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { removeDead } from '../graph/passes/remove-dead.ts'
import { removeIdentities } from '../graph/passes/remove-identities.ts'
import { unrollRecurrent } from '../graph/passes/unroll-recurrent.ts'
import { applyPasses, simplify } from '../graph/simplify.ts'
import { readNumbers } from '../graph/tensor.ts'
import { defaultWorkLimits, type WorkLimits } from '../graph/work-limits.ts'
import { type AbsorbedGraph, absorbQuantisation, type ConstantGrid, isQuantised } from './absorb.ts'
import { sourceOf } from './layer.ts'
import { formatRange, type Plan, type TensorPlan, type WeightPlan } from './plan.ts'
import { biasFits, weightScales } from './scales.ts'
import { ownsScale } from './stored-values.ts'
import { findWeightGrid } from './weight-grid.ts'

export interface PreparedNetwork {
  /** Simplified and fused; a quantised file's own quantisation steps are still in it. For float executors. */
  readonly float: Graph
  /** The same network without quantisation operators and recurrent ones: what a plan names and what is lowered. */
  readonly compiled: Graph
  /** Plan made of the file's scales; undefined for a float file. */
  readonly filePlan?: Plan
  /** Values whose numbers the file does not give, and which calibration must find; empty when the file gives all. */
  readonly missing: readonly string[]
}

/**
 * Prepares a graph as `parseOnnx` gives it. Throws `unsupported` for quantised forms that cannot be compiled and for training
 * forms, `limit` beyond `limits`.
 */
export function prepare(graph: Graph, limits: Partial<WorkLimits> = {}): PreparedNetwork {
  const work = { ...defaultWorkLimits, ...limits }
  refuseTraining(graph)
  const simple = simplify(graph, work)
  const float = fuse(simple)
  /** Fused, with the steps of recurrent layers one by one. */
  const inSteps = (from: Graph): Graph => {
    const unrolled = unrollRecurrent(from, work.preparedNodes)
    return unrolled === from ? from : simplify(unrolled, work)
  }
  if (!isQuantised(graph)) {
    const steps = inSteps(simple)
    return { float, compiled: steps === simple ? float : fuse(steps), missing: [] }
  }
  const absorbed = absorbQuantisation(applyPasses(graph, [removeIdentities, removeDead]))
  // Where the file rounds between a convolution and an addition, the addition stays an instruction of its own.
  const compiled = fuse(inSteps(simplify(absorbed.graph, work)), { residual: (name) => !absorbed.tensors.has(name) })
  return { float, compiled, ...planOf(compiled, absorbed) }
}

/** A network exported by mistake as it is trained would give other results for every batch. */
function refuseTraining(graph: Graph): void {
  const nodes = graph.nodes.filter((node) => node.attributes.get('training_mode'))
  if (nodes.length === 0) return
  const names = nodes.slice(0, 4).map(({ name }) => quoted(name))
  throw new DyadicError(
    'unsupported',
    `${nodes.length} node${nodes.length > 1 ? 's are' : ' is'} in training form (BatchNormalization ${names.join(', ')}${nodes.length > 4 ? ', …' : ''}), ` +
      'with statistics of each batch; export the model in evaluation mode (model.eval())',
  )
}

function planOf(graph: Graph, absorbed: AbsorbedGraph): { filePlan: Plan; missing: string[] } {
  const missing: string[] = []
  const inputs: [string, Plan['inputs'][string]][] = []
  for (const name of graph.inputs) {
    const entry = absorbed.inputs.get(name)
    if (entry === undefined) missing.push(name)
    else inputs.push([name, entry])
  }
  const tensors: [string, TensorPlan][] = []
  const weights: [string, WeightPlan][] = []
  const scaleOf = new Map<string, number>(graph.inputs.map((name) => [name, absorbed.inputs.get(name)?.scale[0] ?? 1]))
  for (const node of graph.nodes) {
    const [name] = node.outputs
    const entry = absorbed.tensors.get(name)
    if (entry) tensors.push([name, entry])
    else if (ownsScale(node)) missing.push(name)
    const inputScale = scaleOf.get(node.inputs[0]) ?? 1
    scaleOf.set(name, entry?.scale ?? inputScale)
    if (node.operator === 'dyadic.Conv' || node.operator === 'dyadic.Dense')
      weights.push([name, fileWeights(graph, node, absorbed.grids, inputScale)])
  }
  const filePlan: Plan = {
    schema: 1,
    kind: 'dyadic-plan',
    model: graph.name,
    origin: { method: 'file' },
    inputs: Object.fromEntries(inputs),
    tensors: Object.fromEntries(tensors),
    weights: Object.fromEntries(weights),
  }
  return { filePlan, missing }
}

/** Formats of the integers that a file may store weights in. */
const GRID_FORMATS: ReadonlyMap<string, WeightPlan['format']> = new Map<string, WeightPlan['format']>([
  ['uint8', 'u8'],
  ['uint4', 'u8'],
  ['int8', 's8'],
  ['int4', 's4'],
])

/** The file's grid where the layer's weights lie on it, or another on which they do; otherwise symmetric scales per channel. */
function fileWeights(
  graph: Graph,
  node: Node,
  grids: ReadonlyMap<string, ConstantGrid>,
  inputScale: number,
): WeightPlan {
  const name = node.inputs[1]
  const constant = graph.constants.get(name)
  if (constant === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) multiplies two computed tensors; its weights must be constant`,
    )
  const values = readNumbers(constant)
  const [outputs] = constant.shape
  // Dense layers may hold a transposed copy, named after the original.
  const grid = grids.get(name) ?? grids.get(name.replace(/:dense(\.\d+)?$/, ''))
  const format = GRID_FORMATS.get(grid?.type ?? '')
  if (grid && format && (grid.scale.length === 1 || grid.scale.length === outputs)) {
    const { low, high } = formatRange(format)
    const perChannel = values.length / outputs
    const onGrid = values.every((value, index) => {
      const o = grid.scale.length === 1 ? 0 : Math.floor(index / perChannel)
      const code = value / grid.scale[o] + grid.zeroPoint[o]
      return Math.abs(code - Math.round(code)) < 1e-6 && Math.round(code) >= low && Math.round(code) <= high
    })
    if (onGrid) return { format, scale: [...grid.scale], zeroPoint: [...grid.zeroPoint] }
  }
  const bias = graph.constants.get(node.inputs[2] ?? '')
  const biases = bias && readNumbers(bias)
  // Integers that other operators have scaled (dynamic quantisation) still lie on one grid.
  const found = findWeightGrid(values)
  if (found !== undefined && biasFits(biases, inputScale, found.scale[0])) return found
  return weightScales(values, outputs, biases, inputScale, 's8')
}

/**
 * The file's entries laid over a calibrated plan: for files that quantise only some values. Layers of `graph` that read a
 * calibrated input with a scale for each channel fold it into their weights, whose codes are then not the file's. Throws `usage` where the plan
 * has what methods make for other weights than the file's: biases, codes or channel scales.
 */
export function completePlan(calibrated: Plan, filePlan: Plan, graph?: Graph): Plan {
  if (
    calibrated.biases ||
    Object.values(calibrated.weights).some(({ codes, groups }) => codes ?? groups) ||
    Object.values(calibrated.tensors).some(({ channelScales }) => channelScales)
  )
    throw new DyadicError(
      'usage',
      'the file brings quantised weights of its own, which methods cannot improve: calibrate without methods',
    )
  const folded = (graph?.nodes ?? []).filter((node) => {
    const source = sourceOf(graph as Graph, calibrated, node.inputs[0] ?? '')
    const input = graph?.inputs.includes(source) && !Object.hasOwn(filePlan.inputs, source)
    return input && calibrated.inputs[source].scale.length > 1
  })
  const names = new Set(folded.flatMap((node) => node.outputs))
  const fileWeights = Object.entries(filePlan.weights).filter(([name]) => !names.has(name))
  return {
    ...calibrated,
    origin: { ...calibrated.origin, file: Object.keys(filePlan.tensors).length },
    inputs: { ...calibrated.inputs, ...filePlan.inputs },
    tensors: { ...calibrated.tensors, ...filePlan.tensors },
    weights: { ...calibrated.weights, ...Object.fromEntries(fileWeights) },
  }
}
