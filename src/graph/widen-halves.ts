/**
 * float16 and bfloat16 to float32: every half-precision number is a float32 number, and a network that computes in more
 * precision than it asked for keeps its meaning. Everything behind the reader knows single precision only.
 */
import type { AttributeValue, Graph, Value } from './graph.ts'
import { inferGraph } from './infer.ts'
import type { Constant, ElementType } from './tensor.ts'

const HALVES: ReadonlySet<ElementType> = new Set(['float16', 'bfloat16'])
/** Attributes that name a result's type by its ONNX number, and the numbers of the half types. */
const TYPE_ATTRIBUTES = ['to', 'dtype', 'output_dtype', 'stash_type']
const HALF_NUMBERS: readonly AttributeValue[] = [10, 16]
const SINGLE_NUMBER = 1
/** Between half and single precision these do nothing any more. */
const CASTS: ReadonlySet<string> = new Set(['Cast', 'CastLike'])

/** The graph without half precision; the graph itself where it has none. */
export function widenHalves(graph: Graph): Graph {
  if (![...graph.values.values()].some(({ type }) => HALVES.has(type))) return graph
  const inputs = graph.inputs.map((name) => {
    const value = graph.values.get(name) as Value
    return HALVES.has(value.type) ? { ...value, type: 'float32' as const } : value
  })
  const constants = new Map(Array.from(graph.constants, ([name, constant]) => [name, widened(constant)]))
  const isWide = (name: string): boolean => {
    const type = graph.values.get(name)?.type
    return type !== undefined && (HALVES.has(type) || type === 'float32')
  }
  const nodes = graph.nodes.map((node) => {
    if (CASTS.has(node.operator) && node.inputs.slice(0, 1).concat(node.outputs).every(isWide))
      return { ...node, operator: 'Identity', inputs: node.inputs.slice(0, 1), attributes: new Map() }
    const attributes = new Map(node.attributes)
    for (const [name, value] of attributes) {
      if (typeof value === 'object' && 'bytes' in value) attributes.set(name, widened(value))
      else if (TYPE_ATTRIBUTES.includes(name) && HALF_NUMBERS.includes(value)) attributes.set(name, SINGLE_NUMBER)
    }
    return { ...node, attributes }
  })
  return inferGraph({ ...graph, inputs, nodes, constants })
}

/** Halves are held as float32 numbers already. */
function widened(constant: Constant): Constant {
  return HALVES.has(constant.type) ? { ...constant, type: 'float32' } : constant
}
