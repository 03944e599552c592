/** Reads node attributes and constant inputs as numbers. */
import type { Graph, Node } from '../../graph/graph.ts'
import { readConstant } from '../../graph/tensor.ts'

/** The attribute, or `absent`. */
export function attributeOr(node: Node, name: string, absent: number): number {
  const value = node.attributes.get(name)
  return typeof value === 'number' ? value : absent
}

/**
 * The numbers of a constant input (64-bit integers to the nearest double); `absent` when it is omitted, `undefined`
 * when it is not constant.
 */
export function constantInput<T>(graph: Graph, node: Node, index: number, absent: T): number[] | T | undefined {
  const name = node.inputs[index]
  if (name === undefined || name === '') return absent
  const constant = graph.constants.get(name)
  return constant && Array.from(readConstant(constant) as ArrayLike<number | bigint>, Number)
}
