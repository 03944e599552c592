/**
 * Replaces nodes whose inputs are all constants by their values, computed by the float meaning; DequantizeLinear of stored
 * weights becomes float weights. Bounded in size and work, so that a hostile file cannot grow here; a constant graph
 * output keeps its node.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { nodeMacs } from '../infer.ts'
import type { Operator } from '../operator.ts'
import { operators } from '../operators/index.ts'
import { constantOf, rebuild } from '../rewrite.ts'
import { elementCount, readConstant } from '../tensor.ts'

/** A folded value may have this many elements beyond eight times those it is made from. */
const GROWTH_ELEMENTS = 2 ** 24
/** Multiply-accumulates of one folded node: seconds at the speed of the float meaning. */
const MAXIMUM_MACS = 2 ** 28

export function foldConstants(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const nodes = graph.nodes.filter((node) => {
    if (!isFoldable(graph, constants, node)) return true
    const operator = operators.get(node.operator) as Operator
    const results = operator.evaluate({
      node: node.name,
      inputs: node.inputs.map((name) => {
        const constant = constants.get(name)
        return constant && { type: constant.type, shape: constant.shape, data: readConstant(constant) }
      }),
      attributes: node.attributes,
      outputs: node.outputs.map((name) => graph.values.get(name) as Value),
    })
    node.outputs.forEach((name, index) => {
      constants.set(name, constantOf(results[index]))
    })
    return false
  })
  return nodes.length === graph.nodes.length ? graph : rebuild(graph, { nodes, constants })
}

function isFoldable(graph: Graph, constants: Graph['constants'], node: Node): boolean {
  if (node.outputs.some((name) => name === '' || graph.outputs.includes(name))) return false
  const operands = node.inputs.filter((name) => name !== '').map((name) => constants.get(name))
  if (operands.some((operand) => operand === undefined)) return false
  // The work of a pool is not bounded by its sizes: its kernel may be larger than all of them.
  if (node.operator === 'MaxPool' || node.operator === 'AveragePool') return false
  const read = operands.reduce((sum, operand) => sum + elementCount(operand!.shape), 0)
  const made = elementCount((graph.values.get(node.outputs[0]) as Value).shape)
  return made <= GROWTH_ELEMENTS + 8 * read && nodeMacs(graph, node) <= MAXIMUM_MACS
}
