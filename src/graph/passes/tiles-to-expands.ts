/**
 * Tile as Expand between two Reshapes: an axis that is repeated gets one of size 1 before it, which Expand widens. Repetitions
 * are then views of what is repeated, as for heads that share keys and values.
 */
import type { Graph, Node } from '../graph.ts'
import { addConstant, freeName, rebuild } from '../rewrite.ts'
import { makeConstant, readNumbers } from '../tensor.ts'

export function tilesToExpands(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const values = new Set(graph.values.keys())
  const names = new Set(graph.nodes.map(({ name }) => name))
  let changed = false
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const repeats = node.operator === 'Tile' ? graph.constants.get(node.inputs[1]) : undefined
    if (repeats === undefined) return [node]
    const counts = Array.from(readNumbers(repeats))
    const shape = graph.values.get(node.inputs[0])?.shape ?? []
    // Nothing is left to be repeated of an empty tensor.
    if (counts.includes(0) || shape.includes(0)) return [node]
    changed = true
    const [output] = node.outputs
    const step = (operator: string, input: string, sizes: readonly number[], to: string): Node => {
      const list = addConstant(graph, constants, `${to}:shape`, makeConstant('int64', [sizes.length], sizes))
      const name = to === output ? node.name : freeName(to, names)
      const attributes = new Map(operator === 'Reshape' ? [['allowzero', 0]] : [])
      return { name, operator, inputs: [input, list], outputs: [to], attributes }
    }
    const splits = (axis: number): boolean => counts[axis] > 1 && shape[axis] > 1
    const whole = shape.map((size, axis) => size * counts[axis])
    if (!shape.some((_, axis) => splits(axis))) return [step('Expand', node.inputs[0], whole, output)]
    const apart = shape.flatMap((size, axis) => (splits(axis) ? [1, size] : [size]))
    const wide = shape.flatMap((size, axis) => (splits(axis) ? [counts[axis], size] : [size * counts[axis]]))
    const [before, after] = ['apart', 'wide'].map((part) => freeName(`${output}:${part}`, values))
    return [
      step('Reshape', node.inputs[0], apart, before),
      step('Expand', before, wide, after),
      step('Reshape', after, whole, output),
    ]
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}
