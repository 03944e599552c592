/** Copies of values that a layer reads in another format than they are stored in. */
import type { Graph, Node } from '../graph/graph.ts'
import type { Transform } from '../reference/fast.ts'
import type { StudyRange } from './choose-scale.ts'
import { type StudyLayer, sourceOf } from './layers.ts'
import type { Statistics } from './observe.ts'
import type { ProductWay } from './products.ts'
import { unobserved, valueTransform } from './round-activations.ts'
import { roundElements } from './round-values.ts'

/** Lets a layer read rounded copies of its computed operands; gives what happens to each copy, by its name. */
export function roundOperands(
  graph: Graph,
  { node, name, weight }: StudyLayer,
  { factor, operands }: ProductWay,
  inputs: string[],
  statistics: Statistics | undefined,
  range: StudyRange,
): Map<string, Transform> {
  const copies = new Map<string, Transform>()
  if (factor === undefined && operands === undefined) return copies
  for (const index of [0, 1] as const) {
    if (index === weight?.index) continue
    const source = sourceOf(graph, node.inputs[index] as string)
    const seen = statistics?.get(source)
    if (operands !== undefined && operands.scale !== 'none' && seen === undefined) throw unobserved(source)
    const own = operands && valueTransform(operands, seen, range, source).transform
    const copied = `${name}:operand${index}`
    inputs[index] = copied
    copies.set(copied, (values, channels, lanes) => {
      own?.(values, channels, lanes)
      if (factor !== undefined) roundElements(factor, values, 1)
    })
  }
  return copies
}

/** A clip without limits copies a value, or takes its place where nothing else reads it. */
export function copyNodes(node: Node, inputs: readonly string[], copies: ReadonlyMap<string, Transform>): Node[] {
  return inputs.flatMap((copied, index) =>
    copies.has(copied)
      ? [
          {
            name: copied,
            operator: 'Clip',
            inputs: [node.inputs[index] as string],
            outputs: [copied],
            attributes: new Map(),
          },
        ]
      : [],
  )
}
