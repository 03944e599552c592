/**
 * Lowering: a fused float graph and a plan become the integer graph. One pass in the graph's order; every operator is
 * lowered by one function, and everything that cannot be lowered is reported at once, by name.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readConstant } from '../graph/tensor.ts'
import { INT8, UINT8 } from '../num/interval.ts'
import type { Plan } from '../quantize/plan.ts'
import { lowerConvolution, lowerDense } from './accumulate.ts'
import { lowerAdd, lowerAverage, lowerTable, rescale } from './combine.ts'
import type { Instruction, IntegerGraph, IntegerTensor, Port, Window } from './integer-graph.ts'
import { lowerConcat, lowerMaxPool, lowerPad, lowerReshape, lowerSlice, poolWindow } from './move.ts'
import { type LoweringContext, type QuantisedValue, storedOffset, storedShape } from './quantised-value.ts'

/** Kernels hold code − zero point in 16 bits; codes lie within ±255 of zero. */
const LARGEST_INPUT_ZERO_POINT = 2 ** 15 - 256

const wholeWindow = (context: LoweringContext): Window => {
  const { height, width } = context.input(0).tensor
  return { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
}

const lowerings: ReadonlyMap<string, (context: LoweringContext) => QuantisedValue> = new Map([
  ['dyadic.Conv', lowerConvolution],
  ['dyadic.Dense', lowerDense],
  ['dyadic.Add', lowerAdd],
  ['MaxPool', (context) => lowerMaxPool(context, poolWindow(context))],
  ['GlobalMaxPool', (context) => lowerMaxPool(context, wholeWindow(context))],
  [
    'AveragePool',
    (context) => lowerAverage(context, poolWindow(context), context.attribute<number>('count_include_pad') === 1),
  ],
  ['GlobalAveragePool', (context) => lowerAverage(context, wholeWindow(context), true)],
  ['Reshape', lowerReshape],
  ['Flatten', lowerReshape],
  ['Squeeze', lowerReshape],
  ['Unsqueeze', lowerReshape],
  ['Slice', lowerSlice],
  ['Pad', lowerPad],
  ['Concat', lowerConcat],
  ...[...operators.values()]
    .filter((operator) => operator.integer === 'table')
    .map((operator): [string, (context: LoweringContext) => QuantisedValue] => [operator.name, lowerTable]),
])

/** Operators that can be lowered, by name. */
export const lowerable: ReadonlySet<string> = new Set(lowerings.keys())

/** Everything of a fused graph that has no integer form, as readable lines; empty when it can be compiled. */
export function findUnsupported(graph: Graph): string[] {
  const problems: string[] = []
  const byOperator = new Map<string, string[]>()
  for (const node of graph.nodes)
    if (!lowerings.has(node.operator))
      byOperator.set(node.operator, [...(byOperator.get(node.operator) ?? []), node.name])
  for (const [operator, nodes] of byOperator)
    problems.push(
      `operator ${quoted(operator)} has no integer form yet (${nodes.length} node${nodes.length > 1 ? 's' : ''}: ${nodes.slice(0, 4).map(quoted).join(', ')}${nodes.length > 4 ? ', …' : ''})`,
    )
  for (const name of graph.inputs) {
    const value = graph.values.get(name)
    if (value && value.shape.length !== 2 && (value.shape.length !== 4 || value.shape[0] !== 1))
      problems.push(`input ${quoted(name)} has shape [${value.shape}]; dyadic compiles [1, C, H, W] and [N, C]`)
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
    const { height, width, channels } = storedShape(shape)
    // Rows of vectors are stored as they come: each row is a pixel.
    const layout = shape.length === 2 && shape[0] > 1 ? 'nhwc' : entry.layout
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
    const range = entry.format === 'u8' ? UINT8 : INT8
    const offset = storedOffset(entry.format)
    const stored = tensor({
      name,
      format: 's8',
      height,
      width,
      channels,
      scale: scale[0],
      zeroPoint: zeroPoint[0] - offset,
      range: { low: range.low - offset, high: range.high - offset },
    })
    instructions.push({ kind: 'import', name, output: stored, inputName: name, format: entry.format, layout })
    inputs.push({ name, shape, format: entry.format, layout, scale, zeroPoint })
    // As the plan gives them: one scale for all channels is not folded into weights, several are (accumulate.ts), and the
    // plan's weight scales were chosen accordingly.
    values.set(name, {
      tensor: stored,
      format: entry.format,
      scale: entry.scale,
      zeroPoint: entry.zeroPoint,
      flat: false,
    })
  }

  for (const node of graph.nodes) {
    const context = contextOf(graph, plan, node, values, tensor, (instruction) => instructions.push(instruction))
    const lowered = (lowerings.get(node.operator) as (context: LoweringContext) => QuantisedValue)(context)
    values.set(context.outputName, keepPlannedScale(context, lowered))
  }

  for (const name of graph.outputs) {
    const value = values.get(name)
    if (value === undefined)
      throw new DyadicError('unsupported', `output ${quoted(name)} is a constant; dyadic compiles computed outputs`)
    const format = value.format === 'u8' || value.format === 's8' ? value.format : 's32'
    const shape = graph.values.get(name)?.shape ?? []
    const layout = shape.length === 2 && shape[0] > 1 ? 'nhwc' : 'nchw'
    instructions.push({ kind: 'export', name, input: value.tensor, outputName: name, format, layout })
    outputs.push({
      name,
      shape,
      format,
      layout,
      scale: value.scale,
      zeroPoint: value.zeroPoint,
    })
  }
  return { name: graph.name, inputs, outputs, tensors, instructions }
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
  return {
    plan,
    node,
    outputName,
    outputShape: graph.values.get(outputName)?.shape ?? [],
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
