/**
 * Moves a Pad of spatial axes by constant zeros into the convolutions that read it: their own padding is zero too. Not into
 * MaxPool, whose padding never wins, nor into AveragePool, which may not count it. A Pad that loses all readers is dead.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { convolutionWindow } from '../operators/convolution.ts'
import { resolvePads } from '../operators/select.ts'
import { indexProducers, rebuild } from '../rewrite.ts'
import { readNumbers } from '../tensor.ts'

export function mergePads(graph: Graph): Graph {
  const producers = indexProducers(graph)
  let changed = false
  const nodes = graph.nodes.map((node) => {
    if (node.operator !== 'Conv') return node
    const pad = graph.nodes[producers.get(node.inputs[0]) ?? -1]
    const extra = pad && zeroPads(graph, pad)
    if (extra === undefined) return node
    const [x, w] = node.inputs.map((name) => (graph.values.get(name) as Value | undefined)?.shape ?? [])
    const own = convolutionWindow(node.name, node.attributes, x, w).pads
    changed = true
    return {
      ...node,
      inputs: [pad.inputs[0], ...node.inputs.slice(1)],
      attributes: new Map(node.attributes).set('auto_pad', 'NOTSET').set(
        'pads',
        own.map((amount, i) => amount + extra[i]),
      ),
    }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}

/** Spatial pads of a Pad node that writes constant zeros around images, all begins, then all ends. */
function zeroPads(graph: Graph, node: Node): number[] | undefined {
  if (node.operator !== 'Pad' || node.attributes.get('mode') !== 'constant') return undefined
  const numbers = (index: number) => {
    const found = graph.constants.get(node.inputs[index] ?? '')
    return found && readNumbers(found)
  }
  if (node.inputs[2] && !(numbers(2)?.every((value) => value === 0) ?? false)) return undefined
  const rank = (graph.values.get(node.inputs[0]) as Value).shape.length
  const pads = resolvePads(node.name, rank, numbers(1) ?? [], numbers(3))
  const begins = pads.slice(0, rank)
  const ends = pads.slice(rank)
  const outer = [...begins.slice(0, 2), ...ends.slice(0, 2)]
  if (outer.some((amount) => amount !== 0) || pads.some((amount) => amount < 0)) return undefined
  return [...begins.slice(2), ...ends.slice(2)]
}
