/**
 * Replaces nodes whose inputs are all constants by their values, computed by the float meaning; DequantizeLinear of stored
 * weights becomes float weights. Bounded in size and work over the whole graph, so that a hostile file cannot grow here; a
 * constant graph output keeps its node.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { nodeMacs } from '../infer.ts'
import type { Operator } from '../operator.ts'
import { operators } from '../operators/index.ts'
import { constantOf, rebuild } from '../rewrite.ts'
import { elementCount, readConstant } from '../tensor.ts'
import { defaultWorkLimits, type WorkLimits } from '../work-limits.ts'

/** How often every constant of the file may be read or made for nothing: exporters leave short chains of casts and moves. */
const PASSES = 8
const POOLS: ReadonlySet<string> = new Set(['MaxPool', 'AveragePool', 'LpPool'])

/** What folding may still make and do; it shrinks with every folded node. */
export interface FoldingBudget {
  elements: number
  operations: number
}

/** The budget of one graph. */
export function foldingBudget(graph: Graph, limits: WorkLimits = defaultWorkLimits): FoldingBudget {
  let stored = 0
  for (const { shape } of graph.constants.values()) stored += elementCount(shape)
  return { elements: limits.foldedElements, operations: limits.foldedOperations + PASSES * stored }
}

/** Folds what `budget` allows. */
export function foldConstants(graph: Graph, budget: FoldingBudget = foldingBudget(graph)): Graph {
  const constants = new Map(graph.constants)
  const kept = new Set(graph.outputs)
  const nodes = graph.nodes.filter((node) => {
    if (!isFoldable(constants, kept, node) || !spend(graph, constants, node, budget)) return true
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

function isFoldable(constants: Graph['constants'], kept: ReadonlySet<string>, node: Node): boolean {
  if (node.outputs.some((name) => name === '' || kept.has(name))) return false
  if (!node.inputs.every((name) => name === '' || constants.has(name))) return false
  // The work of a pool is not bounded by its sizes: its kernel may be larger than all of them.
  return !POOLS.has(node.operator)
}

/** Takes what the node costs from the budget; false, and nothing taken, where that is not left. */
function spend(graph: Graph, constants: Graph['constants'], node: Node, budget: FoldingBudget): boolean {
  let read = 0
  for (const name of node.inputs) read += elementCount(constants.get(name)?.shape ?? [0])
  let made = 0
  for (const name of node.outputs) made += elementCount((graph.values.get(name) as Value).shape)
  const growth = Math.max(0, made - read)
  const operations = read + made + nodeMacs(graph, node)
  if (growth > budget.elements || operations > budget.operations) return false
  budget.elements -= growth
  budget.operations -= operations
  return true
}
