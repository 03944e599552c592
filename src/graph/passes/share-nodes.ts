/**
 * Computes once what several nodes compute alike: same operator and attributes of the same values, where small constants
 * of equal bytes are the same value. A node that makes a graph output stays.
 */
import type { AttributeValue, Graph } from '../graph.ts'
import { rebuild } from '../rewrite.ts'
import type { Constant } from '../tensor.ts'

/** Constants up to this many bytes are compared by what they hold, larger ones by name. */
const COMPARED_BYTES = 1024

export function shareNodes(graph: Graph): Graph {
  const renamed = new Map<string, string>()
  const seen = new Map<string, readonly string[]>()
  const outputs = new Set(graph.outputs)
  const nodes = graph.nodes.flatMap((given) => {
    const node = { ...given, inputs: given.inputs.map((name) => renamed.get(name) ?? name) }
    const inputs = node.inputs.map((name) => inputKey(graph, name))
    const attributes = [...node.attributes].map(([name, value]) => [name, attributeKey(value)])
    const key = JSON.stringify([node.operator, inputs, attributes, node.outputs.map((name) => name === '')])
    const twin = seen.get(key)
    if (twin === undefined) {
      seen.set(key, node.outputs)
      return [node]
    }
    if (node.outputs.some((name) => outputs.has(name))) return [node]
    node.outputs.forEach((name, index) => {
      if (name !== '') renamed.set(name, twin[index])
    })
    return []
  })
  return nodes.length === graph.nodes.length ? graph : rebuild(graph, { nodes })
}

function inputKey(graph: Graph, name: string): unknown {
  const constant = graph.constants.get(name)
  return constant && constant.bytes.byteLength <= COMPARED_BYTES ? contentKey(constant) : name
}

function contentKey({ type, shape, bytes }: Constant): unknown {
  return [type, shape, [...bytes]]
}

/** Numbers as text: JSON has no infinities. */
function attributeKey(value: AttributeValue): unknown {
  return typeof value === 'object' && 'bytes' in value ? contentKey(value) : String(value)
}
