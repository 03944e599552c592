/**
 * A graph from plain values: for programs that make networks instead of reading them from a file. Operators are those of ONNX
 * in their newest form; everything is checked and all shapes are inferred as for a file.
 */
import type { AttributeValue, Graph, Node, Value } from './graph.ts'
import { inferGraph } from './infer.ts'
import { type ElementType, makeConstant } from './tensor.ts'

/** A constant: numbers in row-major order; `float32` unless `type` says otherwise. */
export interface ConstantDescription {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
  readonly type?: ElementType
}

/** A node; its name is that of its first output unless `name` says otherwise. */
export interface NodeDescription {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly name?: string
}

/** What {@link makeGraph} makes a graph of; names of values are the names that plans and reports use. */
export interface GraphDescription {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly string[]
  readonly constants: Readonly<Record<string, ConstantDescription>>
  /** In an order in which every value is made before it is read. */
  readonly nodes: readonly NodeDescription[]
}

/** The operator set that descriptions are read by. */
const OPSET = 23

/** The graph. Throws as reading a file does: `unsupported` for unknown operators, `refused` for wrong shapes or order. */
export function makeGraph({ name, inputs, outputs, constants, nodes }: GraphDescription): Graph {
  return inferGraph({
    name,
    opset: OPSET,
    inputs,
    outputs,
    constants: new Map(
      Object.entries(constants).map(([constant, { type = 'float32', shape, data }]) => [
        constant,
        makeConstant(type, shape, data),
      ]),
    ),
    nodes: nodes.map(
      (node): Node => ({
        ...{ name: node.name ?? node.outputs[0], operator: node.operator, inputs: node.inputs, outputs: node.outputs },
        attributes: new Map(Object.entries(node.attributes ?? {})),
      }),
    ),
  })
}
