/**
 * From parts to a graph: checks every node against its operator's schema, fills attribute defaults in runs the shape
 * rules in order, and computes what shapes are made from. The reader of model files and every pass make their graphs here, so that no graph exists unchecked.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Graph, Node, Value } from './graph.ts'
import type { AttributeKind, AttributeSchema, InferContext, InferredValue, Operator } from './operator.ts'
import { operators } from './operators/index.ts'
import { foldShapeArithmetic } from './shape-arithmetic.ts'
import { type Constant, elementCount } from './tensor.ts'

/** Largest number of elements of one value: offsets stay within 32 bits everywhere. */
export const MAXIMUM_ELEMENTS = 2 ** 31 - 1
/** Largest number of axes of one value: a hostile file could otherwise multiply long shapes by many values. */
const MAXIMUM_RANK = 64

/** What a graph is made from. Nodes stand in topological order; inputs are run-time inputs only. */
export interface GraphParts {
  readonly name: string
  readonly opset: number
  readonly inputs: readonly Value[]
  readonly outputs: readonly string[]
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, Constant>
}

/**
 * What stands in a node's place, or `undefined` where the node stays: asked for each node in order, with everything that is
 * known before it. New nodes may be replaced in their turn.
 */
export type Expansion = (
  node: Node,
  values: ReadonlyMap<string, Value>,
  constants: ReadonlyMap<string, Constant>,
) => { readonly nodes: readonly Node[]; readonly constants: ReadonlyMap<string, Constant> } | undefined

/**
 * Makes the graph. Throws `unsupported` with all unknown operators at once, `refused` naming node and operator on a wrong
 * arity, attribute, order or shape, and `limit` on values of more than {@link MAXIMUM_ELEMENTS} elements.
 */
export function inferGraph(parts: GraphParts, expand?: Expansion): Graph {
  if (expand === undefined) refuseUnknown(parts.nodes)
  const values = new Map<string, Value>()
  const define = (value: Value, where: string): void => {
    if (value.name === '') throw new DyadicError('refused', `${where} has an empty name`)
    if (values.has(value.name))
      throw new DyadicError('refused', `${where}: value ${quoted(value.name)} is defined twice`)
    if (value.shape.length > MAXIMUM_RANK)
      throw new DyadicError(
        'limit',
        `${where}: value ${quoted(value.name)} has ${value.shape.length} axes; at most ${MAXIMUM_RANK} are done`,
      )
    if (!value.shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw new DyadicError('refused', `${where}: value ${quoted(value.name)} has shape [${value.shape}]`)
    if (elementCount(value.shape) > MAXIMUM_ELEMENTS)
      throw new DyadicError('limit', `${where}: value ${quoted(value.name)} of shape [${value.shape}] is too large`)
    values.set(value.name, value)
  }
  for (const { name, type, shape } of parts.inputs) define({ name, type, shape }, 'a graph input')
  for (const [name, { type, shape }] of parts.constants) define({ name, type, shape }, 'a constant')
  const constants = new Map(parts.constants)
  const nodes: Node[] = []
  const pending = parts.nodes.toReversed()
  for (let given = pending.pop(); given !== undefined; given = pending.pop()) {
    const expanded = expand?.(given, values, constants)
    if (expanded !== undefined) {
      for (const [name, constant] of expanded.constants) {
        define({ name, type: constant.type, shape: constant.shape }, 'a constant')
        constants.set(name, constant)
      }
      for (const inner of expanded.nodes.toReversed()) pending.push(inner)
      continue
    }
    if (expand !== undefined) refuseUnknown([given])
    const operator = operators.get(given.operator) as Operator
    const attributes = checkedAttributes(given, operator)
    const node = attributes === given.attributes ? given : { ...given, attributes }
    const inferred = operator.infer(inferContext(node, values, constants))
    node.outputs.forEach((name, index) => {
      if (name !== '') define({ name, ...inferred[index] }, `node ${quoted(node.name)}`)
    })
    if (!foldShapeArithmetic(node, values, constants)) nodes.push(node)
  }
  for (const output of parts.outputs)
    if (!values.has(output)) throw new DyadicError('refused', `graph output ${quoted(output)} is never computed`)
  return {
    name: parts.name,
    opset: parts.opset,
    inputs: parts.inputs.map((value) => value.name),
    outputs: parts.outputs,
    nodes,
    values,
    constants,
  }
}

/**
 * The context in which a node's shape rule and cost are asked. Throws `refused` when the number of inputs or outputs is
 * outside the operator's, or when an input is not among `values`.
 */
export function inferContext(
  node: Node,
  values: ReadonlyMap<string, Value>,
  constants: ReadonlyMap<string, Constant>,
): InferContext {
  const operator = operators.get(node.operator) as Operator
  const wrong = (reason: string): never => {
    throw new DyadicError('refused', `node ${quoted(node.name)} (${quoted(node.operator)}): ${reason}`)
  }
  const outputs = node.outputs.reduce((count, name, index) => (name === '' ? count : index + 1), 0)
  if (node.inputs.length < operator.inputs[0] || node.inputs.length > operator.inputs[1])
    wrong(`has ${node.inputs.length} inputs; ${operator.inputs.join(' to ')} are needed`)
  if (outputs < operator.outputs[0] || node.outputs.length > operator.outputs[1])
    wrong(`has ${node.outputs.length} outputs; ${operator.outputs.join(' to ')} are needed`)
  node.outputs.slice(0, operator.outputs[0]).forEach((name, index) => {
    if (name === '') wrong(`output ${index} has no name`)
  })
  const inputs = node.inputs.map((name, index) => {
    if (name === '') return index < operator.inputs[0] ? wrong(`input ${index} is omitted, but is needed`) : undefined
    return values.get(name) ?? wrong(`input ${quoted(name)} is not defined before it is used`)
  })
  return {
    node: node.name,
    inputs,
    constant: (index) => constants.get(node.inputs[index]),
    attributes: node.attributes,
    outputs,
  }
}

/** Multiply-accumulates of one node; 0 for operators that have none. */
export function nodeMacs(graph: Graph, node: Node): number {
  const operator = operators.get(node.operator) as Operator
  if (operator.macs === undefined) return 0
  const outputs: InferredValue[] = node.outputs.map((name) => graph.values.get(name) as Value)
  return operator.macs(inferContext(node, graph.values, graph.constants), outputs)
}

function refuseUnknown(nodes: readonly Node[]): void {
  const unknown = nodes.filter((node) => !operators.has(node.operator))
  if (unknown.length === 0) return
  const list = unknown.map((node) => `${quoted(node.operator)} at node ${quoted(node.name)}`)
  throw new DyadicError(
    'unsupported',
    `${unknown.length} node(s) use operators that dyadic does not do: ${list.join('; ')}`,
  )
}

const schemas = new WeakMap<Operator, ReadonlyMap<string, AttributeSchema>>()

function schemaOf(operator: Operator): ReadonlyMap<string, AttributeSchema> {
  const known = schemas.get(operator)
  if (known !== undefined) return known
  const schema = new Map(Object.entries(operator.attributes))
  schemas.set(operator, schema)
  return schema
}

/** The node's attributes with defaults filled in, in the schema's order. */
export function checkedAttributes(node: Node, operator: Operator): ReadonlyMap<string, AttributeValue> {
  const wrong = (reason: string): never => {
    throw new DyadicError('refused', `node ${quoted(node.name)} (${operator.name}): ${reason}`)
  }
  const schema = schemaOf(operator)
  if (schema.size === 0 && node.attributes.size === 0) return node.attributes
  for (const name of node.attributes.keys())
    if (!schema.has(name)) wrong(`attribute ${quoted(name)} is not defined for ${operator.name}`)
  const attributes = new Map<string, AttributeValue>()
  for (const [name, { kind, default: absent, required, flag }] of schema) {
    const value = node.attributes.get(name) ?? absent
    if (value === undefined) {
      if (required) wrong(`attribute ${quoted(name)} is missing`)
      continue
    }
    if (!hasKind(value, kind)) wrong(`attribute ${quoted(name)} is not of kind ${kind}`)
    if (flag && value !== 0 && value !== 1) wrong(`attribute ${quoted(name)} is ${value}; it must be 0 or 1`)
    attributes.set(name, value)
  }
  return attributes
}

function hasKind(value: AttributeValue, kind: AttributeKind): boolean {
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(value)
    case 'float':
      return typeof value === 'number' && !Number.isNaN(value)
    case 'ints':
      return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry))
    case 'floats':
      return Array.isArray(value) && value.every((entry) => typeof entry === 'number' && !Number.isNaN(entry))
    case 'string':
      return typeof value === 'string'
    case 'tensor':
      return typeof value === 'object' && 'bytes' in value
  }
}
