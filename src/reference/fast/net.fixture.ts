/** Small graphs for tests of the fast executor, and its comparison with the obvious one. */
import type { AttributeValue, Graph, Node } from '../../graph/graph.ts'
import { inferGraph } from '../../graph/infer.ts'
import { type Constant, type ElementType, elementCount, makeConstant } from '../../graph/tensor.ts'
import { createFastExecutor } from '../fast.ts'
import { createReferenceExecutor } from '../run.ts'

/** Deterministic numbers in [−1, 1). */
export function noise(count: number, seed: number): number[] {
  let state = (seed * 2654435761 + 1) >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** A constant operand: its numbers, or noise. */
export type Parameter = {
  readonly shape: readonly number[]
  readonly values?: readonly number[]
  readonly type?: ElementType
}

/** One node; a string operand names a value, the empty string omits it. */
export interface Line {
  readonly operator: string
  readonly inputs: readonly (string | Parameter)[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  /** Names of its values where there are several. */
  readonly outputs?: readonly string[]
}

/** A chain or net of nodes: line i makes value `v<i>`; the graph's inputs are given by name and shape. */
export function net(
  inputs: Readonly<Record<string, readonly number[]>>,
  lines: readonly Line[],
  outputs?: string[],
): Graph {
  const constants = new Map<string, Constant>()
  const nodes = lines.map((line, index): Node => {
    const operands = line.inputs.map((input, position) => {
      if (typeof input === 'string') return input
      const name = `c${index}.${position}`
      const values = input.values ?? noise(elementCount(input.shape), index * 7 + position + 1)
      constants.set(name, makeConstant(input.type ?? 'float32', input.shape, values))
      return name
    })
    return {
      name: `n${index}`,
      operator: line.operator,
      inputs: operands,
      outputs: line.outputs ?? [`v${index}`],
      attributes: new Map(Object.entries(line.attributes ?? {})),
    }
  })
  return inferGraph({
    name: 'test',
    opset: 21,
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, type: 'float32', shape })),
    outputs: outputs ?? [`v${lines.length - 1}`],
    nodes,
    constants,
  })
}

/** Runs both executors twice on two inputs and compares all outputs. Gives the largest error relative to the max-norm. */
export function worstError(graph: Graph): number {
  const fast = createFastExecutor(graph)
  const obvious = createReferenceExecutor(graph)
  let worst = 0
  for (const seed of [3, 4]) {
    const inputs = new Map(
      graph.inputs.map((name, index) => [
        name,
        Float32Array.from(noise(elementCount(graph.values.get(name)?.shape ?? []), seed + 100 * index)),
      ]),
    )
    const found = fast.run(inputs)
    for (const [name, expected] of obvious.run(inputs))
      worst = Math.max(worst, relativeError(found.get(name), expected))
  }
  return worst
}

/** Largest difference relative to the largest expected element; infinite for another length or a stray NaN. */
export function relativeError(found: Float32Array | undefined, expected: Float32Array): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY
  const norm = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30)
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i])) continue
    const error = Math.abs(found[i] - expected[i]) / norm
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
  }
  return worst
}

/** Room for another order of float32 sums, relative to the largest element. */
export const TOLERANCE = 1e-5

/** A constant list of integers. */
export const int64 = (...values: number[]): Parameter => ({ type: 'int64', shape: [values.length], values })
/** A constant float. */
export const scalar = (value: number): Parameter => ({ shape: [], values: [value] })
