/**
 * Slices read from where values come from: a Slice of a Concat that lies within one part becomes a Slice of that part, and
 * a Slice of a Slice of other axes becomes one Slice.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { normalizeAxis } from '../operators/layout.ts'
import { resolveSlice, type SliceAxis } from '../operators/select.ts'
import { addConstant, countUses, type MutableConstants, rebuild } from '../rewrite.ts'
import { makeConstant, readConstant } from '../tensor.ts'

export function mergeSlices(graph: Graph): Graph {
  const uses = countUses(graph)
  const constants = new Map(graph.constants)
  const producers = new Map<string, Node>()
  /** Values that are a whole part, by the name of that part. */
  const parts = new Map<string, string>()
  const outputs = new Set(graph.outputs)
  let changed = false
  const nodes = graph.nodes.flatMap((given): Node[] => {
    const node = { ...given, inputs: given.inputs.map((name) => parts.get(name) ?? name) }
    const [output] = node.outputs
    const found = node.operator === 'Slice' ? mergedSlice(graph, constants, node, producers, uses) : undefined
    const whole = found && changesNothing(graph, found) && !outputs.has(output)
    if (whole) parts.set(output, found.input)
    const next = found ? { ...node, inputs: sliceInputs(graph, constants, output, found) } : node
    producers.set(output, next)
    if (found) changed = true
    return whole ? [] : [next]
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

/** What a Slice keeps of another value than its own input. */
interface Merged {
  readonly input: string
  readonly axes: readonly SliceAxis[]
}

function mergedSlice(
  graph: Graph,
  constants: Graph['constants'],
  node: Node,
  producers: ReadonlyMap<string, Node>,
  uses: ReadonlyMap<string, number>,
): Merged | undefined {
  const before = producers.get(node.inputs[0])
  if (before?.operator !== 'Concat' && before?.operator !== 'Slice') return undefined
  const outer = slicedAxes(graph, constants, node)
  if (outer === undefined) return undefined
  if (before.operator === 'Concat') return withinPart(graph, before, outer)
  return uses.get(before.outputs[0]) === 1 ? joined(graph, constants, before, outer) : undefined
}

function changesNothing(graph: Graph, { input, axes }: Merged): boolean {
  const { shape } = graph.values.get(input) as Value
  return axes.every((axis, i) => isWhole(axis, shape[i]))
}

/** Inputs of a Slice node, naming only the axes that lose something. */
function sliceInputs(
  graph: Graph,
  constants: MutableConstants,
  output: string,
  { input, axes }: Merged,
): readonly string[] {
  const { shape } = graph.values.get(input) as Value
  const named = axes.map((_, axis) => axis).filter((axis) => !isWhole(axes[axis], shape[axis]))
  const list = (role: string, of: (axis: number) => number) => {
    const constant = makeConstant('int64', [named.length], named.map(of))
    return addConstant(graph, constants, `${output}:${role}`, constant)
  }
  return [
    input,
    list('starts', (axis) => axes[axis].start),
    list('ends', (axis) => axes[axis].start + axes[axis].step * axes[axis].count),
    list('axes', (axis) => axis),
    list('steps', (axis) => axes[axis].step),
  ]
}

/** What a Slice keeps of each axis; `undefined` where that is not constant, runs backwards or is nothing. */
function slicedAxes(graph: Graph, constants: Graph['constants'], node: Node): SliceAxis[] | undefined {
  const lists = [1, 2, 3, 4].map((index) => {
    const constant = constants.get(node.inputs[index] ?? '')
    // "To the end" is often beyond 53 bits; only its clamped value matters.
    return constant && Array.from(readConstant(constant) as ArrayLike<number | bigint>, Number)
  })
  if (lists.some((list, i) => list === undefined && (i < 2 || node.inputs[i + 1]))) return undefined
  const [starts, ends, axes, steps] = lists
  const { shape } = graph.values.get(node.inputs[0]) as Value
  const sliced = resolveSlice(node.name, shape, starts ?? [], ends ?? [], axes, steps)
  return sliced.every(({ step, count }) => step > 0 && count > 0) ? sliced : undefined
}

function isWhole({ start, step, count }: SliceAxis, size: number): boolean {
  return start === 0 && step === 1 && count === size
}

/** The part of a Concat that the slice lies in, and the slice of it. */
function withinPart(graph: Graph, join: Node, axes: readonly SliceAxis[]): Merged | undefined {
  const along = normalizeAxis(join.attributes.get('axis') as number, axes.length, join.name)
  const { start, step, count } = axes[along]
  let first = 0
  for (const name of join.inputs) {
    const size = (graph.values.get(name) as Value).shape[along]
    if (start >= first && start + step * (count - 1) < first + size)
      return { input: name, axes: axes.map((axis, i) => (i === along ? { ...axis, start: start - first } : axis)) }
    first += size
  }
  return undefined
}

/** The input of the first of two Slices and what both leave of it, where no axis is cut by both. */
function joined(
  graph: Graph,
  constants: Graph['constants'],
  inner: Node,
  outer: readonly SliceAxis[],
): Merged | undefined {
  const axes = slicedAxes(graph, constants, inner)
  if (axes === undefined) return undefined
  const { shape } = graph.values.get(inner.inputs[0]) as Value
  const between = (graph.values.get(inner.outputs[0]) as Value).shape
  const innerWhole = axes.map((axis, i) => isWhole(axis, shape[i]))
  const outerWhole = outer.map((axis, i) => isWhole(axis, between[i]))
  if (innerWhole.some((whole, i) => !whole && !outerWhole[i])) return undefined
  return { input: inner.inputs[0], axes: axes.map((axis, i) => (innerWhole[i] ? outer[i] : axis)) }
}
