/**
 * Operators whose older form is another operator, or several: Upsample (opset 7 to 9) and Resize of opset 10 become today's
 * Resize, Scatter becomes ScatterElements; Softmax and its kin before opset 13, which normalise over all axes from `axis` on,
 * become Flatten, the operator and Reshape, and one Softmax again once shapes are known. Source: the version tables of onnx/docs/Changelog.md.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { AddConstant } from './upgrade.ts'

/** Operators of older sets that today's set lacks and that are rewritten here, with the versions that have them. */
export const REPLACED: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['Upsample', [7, 9]],
  ['Scatter', [9, 10]],
])

/** Operators that normalise rows, and the first opset in which a row is one axis. */
const SOFTMAXES: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Hardmax'])
const SOFTMAX_OF_ONE_AXIS = 13

/** What the rewriting needs from the graph around a node. */
export interface Surroundings {
  /** Constants known so far. */
  readonly constants: ReadonlyMap<string, Constant>
  readonly addConstant: AddConstant
  /** Reserves a free value name made from `name`. */
  readonly freeName: (name: string) => string
}

/**
 * The nodes that stand for `node` in the newest operator set; the node itself where it is none of this file's. Throws
 * `refused` on attributes of the wrong kind and `unsupported` where the older meaning cannot be kept.
 */
export function replaceNode(node: Node, opset: number, around: Surroundings): Node[] {
  if (node.operator === 'Upsample') return [upgradeResize(withScalesInput(node, opset, around), around)]
  if (node.operator === 'Scatter') return [{ ...node, operator: 'ScatterElements' }]
  if (node.operator === 'Resize' && opset < 11) return [upgradeResize(node, around)]
  if (SOFTMAXES.has(node.operator) && opset < SOFTMAX_OF_ONE_AXIS) return flattenSoftmax(node, around)
  return [node]
}

/** Upsample of opset 7 and 8 has its scales as an attribute. */
function withScalesInput(node: Node, opset: number, { addConstant }: Surroundings): Node {
  const attributes = new Map(node.attributes)
  const scales = attributes.get('scales')
  if (opset >= 9) {
    if (scales !== undefined) wrong(node, 'has the attribute "scales", which became an input in opset 9')
    return node
  }
  if (!Array.isArray(scales) || scales.some((scale) => typeof scale !== 'number'))
    return wrong(node, 'needs the attribute "scales", a list of numbers')
  if (node.inputs.length !== 1) wrong(node, `has ${node.inputs.length} inputs; before opset 9 it takes one`)
  attributes.delete('scales')
  const constant = makeConstant('float32', [scales.length], scales as number[])
  return { ...node, inputs: [...node.inputs, addConstant(`${node.name}.scales`, constant)], attributes }
}

/** Inputs x, scales and the attribute mode become today's form: coordinates divided by the scale, rounded down. */
function upgradeResize(node: Node, { constants }: Surroundings): Node {
  const [x, scales] = node.inputs
  if (node.inputs.length !== 2) wrong(node, `has ${node.inputs.length} inputs; before opset 11 it takes two`)
  const other = [...node.attributes.keys()].find((name) => name !== 'mode')
  if (other !== undefined) wrong(node, `has the attribute ${quoted(other)}, which its opset does not define`)
  const mode = node.attributes.get('mode') ?? 'nearest'
  const known = constants.get(scales as string)
  const uneven = mode === 'nearest' && known?.type === 'float32' && readNumbers(known).some(roundsDownwards)
  if (uneven)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) shrinks by a fraction in mode "nearest", which its opset leaves ` +
        'undefined and runtimes round differently; export the model with opset 11 or newer',
    )
  const attributes = new Map(node.attributes)
  attributes.set('mode', mode)
  attributes.set('coordinate_transformation_mode', 'asymmetric')
  attributes.set('nearest_mode', 'floor')
  return { ...node, operator: 'Resize', inputs: [x as string, '', scales as string], attributes }
}

/** True for scales below 1 at which sampling points fall between elements. */
function roundsDownwards(scale: number): boolean {
  return scale < 1 && !Number.isInteger(1 / scale)
}

function flattenSoftmax(node: Node, { freeName }: Surroundings): Node[] {
  const axis = node.attributes.get('axis') ?? 1
  if (typeof axis !== 'number') return wrong(node, 'has an attribute "axis" that is no integer')
  if (axis === -1 || node.inputs.length !== 1 || node.outputs.length !== 1) return [node]
  const [x] = node.inputs as [string]
  const value = (part: string): string => freeName(`${node.outputs[0]}.${part}`)
  const [flat, normalised, shape] = [value('flat'), value('softmax'), value('shape')] as const
  const attributes = new Map(node.attributes)
  attributes.set('axis', 1)
  const step = (part: string, operator: string, inputs: string[], output: string, given: Node['attributes']): Node => ({
    name: `${node.name}.${part}`,
    operator,
    inputs,
    outputs: [output],
    attributes: given,
  })
  return [
    step('flat', 'Flatten', [x], flat, new Map([['axis', axis]])),
    { ...node, inputs: [flat], outputs: [normalised], attributes },
    step('shape', 'Shape', [x], shape, new Map()),
    step('unflat', 'Reshape', [normalised, shape], node.outputs[0] as string, new Map()),
  ]
}

function wrong(node: Node, reason: string): never {
  throw new DyadicError('refused', `node ${quoted(node.name)} (${node.operator}) ${reason}`)
}

/**
 * One Softmax for each Flatten, Softmax, Reshape back in a row that normalises over one axis of more than one element:
 * the common case of the older Softmax. The graph itself where there is none.
 */
export function joinSoftmax(graph: Graph): Graph {
  if (!graph.nodes.some(({ operator }) => operator === 'Flatten')) return graph
  const readers = new Map<string, Node[]>()
  for (const node of graph.nodes)
    for (const name of node.inputs) {
      const list = readers.get(name)
      if (list === undefined) readers.set(name, [node])
      else list.push(node)
    }
  const outputs = new Set(graph.outputs)
  const onlyReader = (node: Node): Node | undefined => {
    const name = node.outputs[0] as string
    const list = readers.get(name) ?? []
    return list.length === 1 && !outputs.has(name) ? list[0] : undefined
  }
  const dropped = new Set<Node>()
  const replaced = new Map<Node, Node>()
  for (const flat of graph.nodes) {
    if (flat.operator !== 'Flatten') continue
    const softmax = onlyReader(flat)
    const back = softmax?.operator === 'Softmax' ? onlyReader(softmax) : undefined
    if (softmax === undefined || back?.operator !== 'Reshape' || back.inputs[0] !== softmax.outputs[0]) continue
    const { shape } = graph.values.get(flat.inputs[0] as string) as Value
    const same = String((graph.values.get(back.outputs[0] as string) as Value).shape) === String(shape)
    const given = flat.attributes.get('axis') as number
    const first = given < 0 ? given + shape.length : given
    const wide = shape.flatMap((size, axis) => (axis >= first && size > 1 ? [axis] : []))
    const along = softmax.attributes.get('axis')
    if (!same || (along !== 1 && along !== -1) || wide.length > 1 || first >= shape.length) continue
    const attributes = new Map([['axis', wide[0] ?? shape.length - 1]])
    dropped.add(flat).add(softmax)
    replaced.set(back, { ...softmax, inputs: flat.inputs, outputs: back.outputs, attributes })
  }
  if (replaced.size === 0) return graph
  const nodes = graph.nodes.filter((node) => !dropped.has(node)).map((node) => replaced.get(node) ?? node)
  const inputs = graph.inputs.map((name) => graph.values.get(name) as Value)
  return inferGraph({ ...graph, inputs, nodes })
}
