/**
 * Whether a graph is legal: single assignment, order, known values, constants with their bytes, attributes within their
 * schemas, and shapes equal to what the shape rules give. Run after every pass.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from './graph.ts'
import { inferGraph } from './infer.ts'
import { elementBytes, elementCount } from './tensor.ts'

/** Throws `refused` naming `after`, the stage whose result is not legal. */
export function verifyGraph(graph: Graph, after: string): void {
  try {
    check(graph)
  } catch (cause) {
    if (!(cause instanceof DyadicError)) throw cause
    throw new DyadicError(cause.code, `the graph is not legal after ${after}: ${cause.message}`, { cause })
  }
}

function check(graph: Graph): void {
  const wrong = (reason: string): never => {
    throw new DyadicError('refused', reason)
  }
  const names = new Set<string>()
  for (const { name } of graph.nodes) {
    if (name === '') wrong('a node has an empty name')
    if (names.has(name)) wrong(`two nodes are named ${quoted(name)}`)
    names.add(name)
  }
  if (new Set(graph.outputs).size !== graph.outputs.length) wrong('a graph output is listed twice')
  for (const [name, { type, shape, bytes }] of graph.constants)
    if (bytes.byteLength !== elementCount(shape) * elementBytes(type))
      wrong(`constant ${quoted(name)} of type ${type} and shape [${shape}] has ${bytes.byteLength} bytes`)
  const inputs = graph.inputs.map(
    (name) => graph.values.get(name) ?? wrong(`graph input ${quoted(name)} has no type and shape`),
  )
  // The rules run again: whatever inference refuses is illegal, and what it gives must stand in the graph.
  const again = inferGraph({ ...graph, inputs })
  if (again.values.size !== graph.values.size) wrong('the graph lists values that nothing defines')
  for (const [name, { type, shape }] of again.values) {
    const listed = graph.values.get(name)
    if (listed === undefined || listed.name !== name || listed.type !== type || String(listed.shape) !== String(shape))
      wrong(`value ${quoted(name)} should be ${type}[${shape}]`)
  }
  graph.nodes.forEach((node, index) => {
    if (node.attributes.size !== again.nodes[index].attributes.size)
      wrong(`node ${quoted(node.name)} lacks attribute defaults`)
  })
}
