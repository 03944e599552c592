/**
 * Pad in the modes reflect, edge and wrap repeats elements of its input: along each padded axis it becomes a Gather with constant
 * indices, the one form in which passes, executors and the lowering know it.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { innerPadMode, paddedPositions, resolvePads } from '../operators/select.ts'
import { addConstant, type MutableConstants, rebuild } from '../rewrite.ts'
import { makeConstant, readNumbers } from '../tensor.ts'

export function padsToGathers(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  let changed = false
  const nodes = graph.nodes.flatMap((node) => {
    const gathers = gathersOf(graph, constants, node)
    if (gathers === undefined) return [node]
    changed = true
    return gathers
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

function gathersOf(graph: Graph, constants: MutableConstants, node: Node): Node[] | undefined {
  const mode = node.operator === 'Pad' ? innerPadMode(node.attributes) : undefined
  if (mode === undefined) return undefined
  const numbers = (index: number) => {
    const found = graph.constants.get(node.inputs[index] ?? '')
    return found && readNumbers(found)
  }
  const from = (graph.values.get(node.inputs[0]) as Value).shape
  const to = (graph.values.get(node.outputs[0]) as Value).shape
  const pads = resolvePads(node.name, from.length, numbers(1) ?? [], numbers(3))
  const axes = from.flatMap((_, axis) => (pads[axis] !== 0 || pads[axis + from.length] !== 0 ? [axis] : []))
  if (axes.length === 0) return undefined
  let input = node.inputs[0]
  return axes.map((axis, step) => {
    const last = step === axes.length - 1
    const positions = paddedPositions(from[axis], pads[axis], to[axis], mode)
    const indices = makeConstant('int64', [positions.length], positions)
    const output = last ? node.outputs[0] : freeValue(graph, `${node.outputs[0]}:axis ${axis}`)
    const inputs = [input, addConstant(graph, constants, `${output}:positions`, indices)]
    input = output
    const name = last ? node.name : `${node.name}:axis ${axis}`
    return { name, operator: 'Gather', inputs, outputs: [output], attributes: new Map([['axis', axis]]) }
  })
}

function freeValue(graph: Graph, base: string): string {
  let name = base
  for (let i = 2; graph.values.has(name); i++) name = `${base}.${i}`
  return name
}
