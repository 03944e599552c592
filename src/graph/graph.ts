/**
 * The one intermediate representation: an immutable list of nodes in topological order over named values with static
 * shapes. Passes are functions from graph to graph; `verifyGraph` says whether a graph is legal.
 */
import type { Constant, ElementType } from './tensor.ts'

export type AttributeValue = number | string | readonly number[] | readonly string[] | Constant

/** A named value: a graph input, a constant or the output of one node. Shapes are static. */
export interface Value {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** One application of an operator. An omitted optional input is the empty string, as in ONNX. */
export interface Node {
  /** Unique within the graph; made from the first output's name where the file gives none. */
  readonly name: string
  /** `Conv` for the default ONNX domain, `dyadic.Conv` for our fused forms. */
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, AttributeValue>
}

export interface Graph {
  readonly name: string
  /** Version of the default ONNX operator set the file was written for; nodes are already in their newest form. */
  readonly opset: number
  /** Names of run-time inputs (never constants), in file order. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Topologically ordered. */
  readonly nodes: readonly Node[]
  /** Every input, constant and node output. */
  readonly values: ReadonlyMap<string, Value>
  readonly constants: ReadonlyMap<string, Constant>
}
