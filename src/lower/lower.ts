/**
 * Lowering: a fused float graph and a plan become the integer graph. One pass in the graph's order; every operator is
 * lowered by one function, and everything that cannot be lowered is reported at once, by name.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { isRecurrent, unrollProblem } from '../graph/passes/unroll-recurrent.ts'
import { readersOf } from '../graph/readers.ts'
import { readConstant } from '../graph/tensor.ts'
import { formatRange, type Plan } from '../quantize/plan.ts'
import { checkPlanNames } from '../quantize/plan-names.ts'
import { lowerConvolution, lowerDense } from './accumulate.ts'
import { lowerAdd, lowerMul, lowerSub } from './combine.ts'
import { lowerFunction, lowerLeakyRelu, lowerPRelu, rescale } from './elementwise.ts'
import { lowerSwish } from './gated.ts'
import { lowerGelu } from './gelu.ts'
import type { ExportLoop, Instruction, IntegerGraph, IntegerTensor, Port, PortFormat } from './integer-graph.ts'
import { lowerLookup } from './lookup.ts'
import { lowerMagnitude } from './magnitude.ts'
import {
  lowerConcat,
  lowerDepthToSpace,
  lowerExpand,
  lowerGather,
  lowerPad,
  lowerReshape,
  lowerSlice,
  lowerSpaceToDepth,
  lowerSplit,
  lowerTranspose,
} from './move.ts'
import { lowerLayerNormalization, lowerRmsNormalization } from './normalize.ts'
import {
  lowerAveragePool,
  lowerGlobalAveragePool,
  lowerGlobalMaxPool,
  lowerMaxPool,
  lowerReduceMax,
  lowerReduceMean,
} from './pool.ts'
import { lowerProduct } from './product.ts'
import { type LoweringContext, type QuantisedValue, storageFormat, storedOffset } from './quantised-value.ts'
import { lowerResize } from './resize.ts'
import { lowerSoftmax } from './softmax.ts'
import { withStates } from './states.ts'
import { type Assignment, assign, defaultAssignment, viewLoops } from './view.ts'

/** Kernels hold code − zero point in 16 bits; codes lie within ±255 of zero. */
const LARGEST_INPUT_ZERO_POINT = 2 ** 15 - 256

type Lowering = (context: LoweringContext) => QuantisedValue | QuantisedValue[]

const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ...[...operators.values()]
    .filter((operator) => operator.integer === 'table')
    .map((operator): [string, Lowering] => [operator.name, lowerFunction]),
  ['Swish', lowerSwish],
  ['dyadic.Conv', lowerConvolution],
  ['dyadic.Dense', lowerDense],
  ['dyadic.Add', lowerAdd],
  ['Add', lowerAdd],
  ['Sub', lowerSub],
  ['Mul', lowerMul],
  ['PRelu', lowerPRelu],
  ['LeakyRelu', lowerLeakyRelu],
  ['Softmax', lowerSoftmax],
  ['Gelu', lowerGelu],
  ['dyadic.MatMul', lowerProduct],
  ['LayerNormalization', lowerLayerNormalization],
  ['RMSNormalization', lowerRmsNormalization],
  ['dyadic.Lookup', lowerLookup],
  ['dyadic.Magnitude', lowerMagnitude],
  ['MaxPool', lowerMaxPool],
  ['GlobalMaxPool', lowerGlobalMaxPool],
  ['ReduceMax', lowerReduceMax],
  ['AveragePool', lowerAveragePool],
  ['GlobalAveragePool', lowerGlobalAveragePool],
  ['ReduceMean', lowerReduceMean],
  ['Reshape', lowerReshape],
  ['Flatten', lowerReshape],
  ['Squeeze', lowerReshape],
  ['Unsqueeze', lowerReshape],
  ['Transpose', lowerTranspose],
  ['DepthToSpace', lowerDepthToSpace],
  ['SpaceToDepth', lowerSpaceToDepth],
  ['Expand', lowerExpand],
  ['Slice', lowerSlice],
  ['Split', lowerSplit],
  ['Gather', lowerGather],
  ['Pad', lowerPad],
  ['Concat', lowerConcat],
  ['Resize', lowerResize],
])

/** Operators that can be lowered, by name. */
export const lowerable: ReadonlySet<string> = new Set(lowerings.keys())

/** A Gather whose indices come at run time and that is no embedding. */
function readsComputedIndices(graph: Graph, { operator, inputs }: Node): boolean {
  return operator === 'Gather' && !graph.constants.has(inputs[1] ?? '')
}

/** Everything of a fused graph that has no integer form, as readable lines; empty when it can be compiled. */
export function findUnsupported(graph: Graph): string[] {
  const problems: string[] = []
  const byOperator = new Map<string, string[]>()
  for (const node of graph.nodes) {
    const reason = isRecurrent(node) ? unrollProblem(graph, node) : undefined
    if (reason !== undefined) problems.push(`node ${quoted(node.name)} (${node.operator}): ${reason}`)
    else if (!lowerings.has(node.operator) || readsComputedIndices(graph, node)) {
      const names = byOperator.get(node.operator)
      if (names === undefined) byOperator.set(node.operator, [node.name])
      else names.push(node.name)
    }
  }
  for (const [operator, nodes] of byOperator)
    problems.push(
      `operator ${quoted(operator)} has no integer form yet (${nodes.length} node${nodes.length > 1 ? 's' : ''}: ${nodes.slice(0, 4).map(quoted).join(', ')}${nodes.length > 4 ? ', …' : ''})`,
    )
  for (const name of graph.inputs) {
    const value = graph.values.get(name)
    // Recurrent states and sequences may have their layers or steps first, and then the batch.
    const samples = value?.shape.length === 3 ? Math.min(value.shape[0], value.shape[1]) : (value?.shape[0] ?? 1)
    if (value && value.shape.length > 2 && samples !== 1)
      problems.push(
        `input ${quoted(name)} has shape [${value.shape}]; dyadic compiles one sample at a time: a first size of 1`,
      )
  }
  return problems
}

/**
 * The integer graph. Throws `unsupported` listing everything that has no integer form, `refused` where plan and graph
 * disagree, `limit` where a proof fails.
 */
export function lower(graph: Graph, plan: Plan): IntegerGraph {
  const problems = findUnsupported(graph)
  if (problems.length > 0)
    throw new DyadicError('unsupported', `the network cannot be compiled to integers:\n  ${problems.join('\n  ')}`)
  checkPlanNames(graph, plan)

  const tensors: IntegerTensor[] = []
  const instructions: Instruction[] = []
  const values = new Map<string, QuantisedValue>()
  const inputs: Port[] = []
  const outputs: Port[] = []
  const tensor = (description: Omit<IntegerTensor, 'id'>): IntegerTensor => {
    const made = { ...description, id: tensors.length }
    tensors.push(made)
    return made
  }

  for (const name of graph.inputs) {
    if (!Object.hasOwn(plan.inputs, name))
      throw new DyadicError(
        'refused',
        `the plan has no entry "inputs" for ${quoted(name)}; make the plan with this model`,
      )
    const entry = plan.inputs[name]
    const shape = graph.values.get(name)?.shape ?? []
    const assignment = inputAssignment(graph, name, shape)
    const { storage, view } = assign(shape, assignment)
    const { channels } = storage
    // Everything but an image is stored as it comes, channels last.
    const isImage = assignment.channels[0] === 1 && shape.length === 4
    const layout = isImage ? entry.layout : 'nhwc'
    for (const [field, list] of [
      ['scale', entry.scale],
      ['zeroPoint', entry.zeroPoint],
    ] as const)
      if (list.length !== 1 && list.length !== channels)
        throw new DyadicError(
          'refused',
          `"inputs" ${quoted(name)} of the plan has ${list.length} values in "${field}"; give 1 or ${channels}, one per channel`,
        )
    for (const point of entry.zeroPoint)
      if (Math.abs(point) > LARGEST_INPUT_ZERO_POINT)
        throw new DyadicError(
          'refused',
          `"inputs" ${quoted(name)} of the plan has zero point ${point}; codes minus zero point must fit 16 bits: give one in ±${LARGEST_INPUT_ZERO_POINT}, or another offset in the data card`,
        )
    const same = entry.scale.length === 1 && entry.zeroPoint.length === 1
    const scale = same
      ? entry.scale
      : Array.from({ length: channels }, (_, c) => entry.scale[entry.scale.length > 1 ? c : 0])
    const zeroPoint = same
      ? entry.zeroPoint
      : Array.from({ length: channels }, (_, c) => entry.zeroPoint[entry.zeroPoint.length > 1 ? c : 0])
    const range = formatRange(entry.format)
    const offset = storedOffset(entry.format)
    const stored = tensor({
      name,
      format: storageFormat(entry.format),
      ...storage,
      scale: scale[0],
      zeroPoint: zeroPoint[0] - offset,
      range: { low: range.low - offset, high: range.high - offset },
    })
    instructions.push({ kind: 'import', name, output: stored, inputName: name, format: entry.format, layout })
    const channelAxis = assignment.channels[0] ?? 0
    inputs.push({ name, shape, format: entry.format, layout: isImage ? layout : 'nchw', channelAxis, scale, zeroPoint })
    // As the plan gives them: one scale for all channels is not folded into weights, several are (accumulate.ts), and the
    // plan's weight scales were chosen accordingly.
    values.set(name, {
      tensor: stored,
      format: entry.format,
      scale: entry.scale,
      zeroPoint: entry.zeroPoint,
      view,
    })
  }

  for (const node of graph.nodes) {
    const context = contextOf(graph, plan, node, values, tensor, (instruction) => instructions.push(instruction))
    const lowered = (lowerings.get(node.operator) as Lowering)(context)
    if (Array.isArray(lowered)) node.outputs.forEach((output, index) => void values.set(output, lowered[index]))
    else values.set(context.outputName, keepPlannedScale(context, lowered))
  }

  for (const name of graph.outputs) {
    const value = values.get(name)
    if (value === undefined)
      throw new DyadicError('unsupported', `output ${quoted(name)} is a constant; dyadic compiles computed outputs`)
    const format: PortFormat = value.format === 'u8' ? 'u8' : value.tensor.format
    const loops: ExportLoop[] = viewLoops(value.view).map(({ count, step }) => ({ count, step }))
    instructions.push({
      kind: 'export',
      name,
      input: value.tensor,
      outputName: name,
      format,
      start: value.view.start,
      loops,
    })
    const shape = graph.values.get(name)?.shape ?? []
    outputs.push({ name, shape, format, layout: 'nchw', ...outputScales(value, shape, name) })
  }
  const ports = withStates(
    plan,
    inputs.map((port) => limited(port, instructions)),
    outputs,
  )
  return { name: graph.name, inputs: ports, outputs, tensors, instructions }
}

/** An input of indices with the integers that every table it chooses from has. */
function limited(port: Port, instructions: readonly Instruction[]): Port {
  let entries = Infinity
  for (const instruction of instructions)
    if (instruction.kind === 'lookup' && instruction.input.name === port.name)
      entries = Math.min(entries, instruction.entries)
  return entries === Infinity ? port : { ...port, range: { low: 0, high: entries - 1 } }
}

/** How an input is stored: an image whose channels come last, as TensorFlow has them, where only transposes read it. */
function inputAssignment(graph: Graph, name: string, shape: readonly number[]): Assignment {
  const readers = readersOf(graph, name)
  const channelsLast =
    shape.length === 4 &&
    readers.length > 0 &&
    readers.every((node) => node.operator === 'Transpose' && String(node.attributes.get('perm')) === '0,3,1,2')
  return channelsLast ? { height: [0, 1], width: [2], channels: [3] } : defaultAssignment(shape)
}

/** Scales at the rim: one, or one for each index of the second dimension, which must then be the stored channels. */
function outputScales(
  value: QuantisedValue,
  shape: readonly number[],
  name: string,
): Pick<Port, 'scale' | 'zeroPoint'> {
  const { scale, zeroPoint, view } = value
  if (scale.length === 1 && zeroPoint.length === 1) return { scale, zeroPoint }
  const [axis] = view.dimensions[1] ?? []
  if (axis?.step !== 1 || axis.count !== shape[1] || Math.max(scale.length, zeroPoint.length) !== shape[1])
    throw new DyadicError(
      'unsupported',
      `output ${quoted(name)} has a scale for each channel, and its channels are not the second dimension of [${shape}]; give it one scale in the plan`,
    )
  return { scale, zeroPoint }
}

/** Operators that keep their input's scale are followed by a table where the plan (a QDQ file, an edit) asks for another. */
function keepPlannedScale(context: LoweringContext, lowered: QuantisedValue): QuantisedValue {
  if (
    operators.get(context.node.operator)?.integer !== 'same-scale' ||
    !Object.hasOwn(context.plan.tensors, context.outputName)
  )
    return lowered
  const target = context.plan.tensors[context.outputName]
  const same =
    lowered.format === target.format &&
    lowered.scale.length === 1 &&
    lowered.scale[0] === target.scale &&
    lowered.zeroPoint[0] === target.zeroPoint
  return same ? lowered : rescale(context, lowered, target)
}

function contextOf(
  graph: Graph,
  plan: Plan,
  node: Node,
  values: ReadonlyMap<string, QuantisedValue>,
  tensor: LoweringContext['tensor'],
  emit: LoweringContext['emit'],
): LoweringContext {
  const outputName = node.outputs[0]
  let made = 0
  return {
    plan,
    node,
    constants: graph.constants,
    outputName,
    outputShape: graph.values.get(outputName)?.shape ?? [],
    outputShapes: node.outputs.map((name) => graph.values.get(name)?.shape ?? []),
    fresh() {
      let name: string
      do name = `${outputName}:${++made}`
      while (graph.values.has(name))
      return name
    },
    tensor,
    emit,
    input(index) {
      const value = values.get(node.inputs[index])
      if (value === undefined)
        throw new DyadicError(
          'unsupported',
          `node ${quoted(node.name)} (${node.operator}): input ${index}, ${quoted(node.inputs[index] ?? '')}, is a constant; dyadic compiles this operator for computed inputs`,
        )
      return value
    },
    inputShape: (index) => graph.values.get(node.inputs[index])?.shape ?? [],
    hasInput: (index) => node.inputs[index] !== undefined && node.inputs[index] !== '',
    readers: () => (graph.outputs.includes(outputName) ? [] : readersOf(graph, outputName)),
    isConstant: (index) => graph.constants.has(node.inputs[index]),
    constant(index) {
      const constant = graph.constants.get(node.inputs[index])
      if (constant === undefined)
        throw new DyadicError(
          'unsupported',
          `node ${quoted(node.name)} (${node.operator}): input ${index}, ${quoted(node.inputs[index] ?? '')}, is computed at run time; it must be a constant`,
        )
      return { values: readConstant(constant) as unknown as ArrayLike<number>, shape: constant.shape }
    },
    attribute: <T>(name: string) => node.attributes.get(name) as T | undefined,
  }
}
