/**
 * Where a function reacts: a sigmoid-weighted unit is nearly zero for every argument below −6, a hard swish exactly zero below
 * −3. Codes spent there are lost, so the value before such a function gets a range without its flat ends.
 */
import { evaluateFunction } from '../graph/evaluate-function.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readersOf } from '../graph/readers.ts'
import type { Range } from './observe.ts'

/** Points at which the function is looked at. */
const POINTS = 1024

/** The node that alone reads a value and is a function of it; undefined where there is none. */
export function onlyFunction(graph: Graph, name: string): Node | undefined {
  if (graph.outputs.includes(name)) return undefined
  const readers = readersOf(graph, name)
  const [reader] = readers
  const single = readers.length === 1 && reader.inputs.filter((input) => input === name).length === 1
  return single && reader.inputs[0] === name && operators.get(reader.operator)?.integer === 'table' ? reader : undefined
}

/**
 * The part of a range outside which the function stays within a quarter of `step` (the step of its output) of what it is at
 * the end of that part. The whole range where it reacts everywhere.
 */
export function reactingRange(graph: Graph, reader: Node, range: Range, step: number): Range {
  const width = range.high - range.low
  if (!(width > 0)) return range
  const points = Float32Array.from({ length: POINTS + 1 }, (_, i) => range.low + (width * i) / POINTS)
  const values = Array.from(evaluateFunction(reader, graph.constants, points))
  const flat = (list: readonly number[]): number => {
    let [least, most] = [list[0], list[0]]
    let count = 0
    for (const value of list) {
      least = Math.min(least, value)
      most = Math.max(most, value)
      if (!(most - least <= step / 4)) break
      count++
    }
    return Math.max(0, count - 1)
  }
  const [first, last] = [flat(values), POINTS - flat(values.toReversed())]
  return first < last ? { low: points[first], high: points[last] } : range
}
