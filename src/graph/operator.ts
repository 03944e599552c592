/**
 * What an operator is: one object per operator, holding its schema, shape rule, float meaning, how its integer meaning
 * follows from the scales around it, and its cost. `graph/operators/index.ts` is the registry.
 */
import type { AttributeValue, Value } from './graph.ts'
import type { Constant, ElementType, Tensor } from './tensor.ts'

export type AttributeKind = 'int' | 'ints' | 'float' | 'floats' | 'string' | 'tensor'

export interface AttributeSchema {
  readonly kind: AttributeKind
  /** Value when the attribute is absent; `undefined` means absent stays absent. */
  readonly default?: AttributeValue
  readonly required?: boolean
  /** An `int` that is 0 or 1. */
  readonly flag?: boolean
}

/**
 * How an operator behaves on quantised tensors:
 * `accumulate`: weighted sums in int32, then one requantisation; `average`: a sum and one requantisation by 1/count;
 * `sum`: two tensors rescaled to one and added or subtracted; `product`: two tensors multiplied, then one
 * requantisation; `matrix-product`: sums of products of two computed tensors, then one requantisation; `rescale`: another
 * factor by channel and sign; `table`: any function of one value; `softmax`: exponentials from tables, divided by their sum;
 * `normalize`: vectors divided by their deviation, then a factor and an addend by channel; `lookup`: rows of a table by
 * computed indices; `magnitude`: an integer square root of two squares; `same-scale`: moves, repeats, selects or blends
 * values, so that the output keeps the input's scale and zero point;
 * `join`: several tensors side by side under one scale; `boundary`: QuantizeLinear and DequantizeLinear, absorbed
 * into the plan; `none`: only removed or folded at compile time.
 */
export type IntegerMeaning =
  | 'accumulate'
  | 'average'
  | 'sum'
  | 'product'
  | 'matrix-product'
  | 'rescale'
  | 'table'
  | 'softmax'
  | 'normalize'
  | 'lookup'
  | 'magnitude'
  | 'same-scale'
  | 'join'
  | 'boundary'
  | 'none'

/** What a shape rule sees. */
export interface InferContext {
  /** Node name, for messages. */
  readonly node: string
  /** Type and shape of each input; `undefined` for an omitted one. */
  readonly inputs: readonly (Pick<Value, 'type' | 'shape'> | undefined)[]
  /** The input's constant, when it is one. */
  constant(index: number): Constant | undefined
  /** Attributes with the schema's defaults filled in. */
  readonly attributes: ReadonlyMap<string, AttributeValue>
  /** Number of outputs the node asks for. */
  readonly outputs: number
}

export interface InferredValue {
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** What a float meaning sees: inputs as tensors in ONNX layout. */
export interface EvaluateContext {
  readonly node: string
  readonly inputs: readonly (Tensor | undefined)[]
  readonly attributes: ReadonlyMap<string, AttributeValue>
  /** Types and shapes given by the shape rule. */
  readonly outputs: readonly InferredValue[]
}

export interface Operator {
  /** ONNX operator name, or `dyadic.Name` for a fused form. */
  readonly name: string
  /** Opset versions at which ONNX changed the definition and which are all understood here. */
  readonly since: readonly number[]
  /** Least and largest number of inputs and outputs. */
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  readonly attributes: Readonly<Record<string, AttributeSchema>>
  readonly integer: IntegerMeaning
  /** Types and shapes of the outputs. Throws `refused` on impossible combinations, naming the node. */
  infer(context: InferContext): InferredValue[]
  /** The slow, obvious float meaning. */
  evaluate(context: EvaluateContext): Tensor[]
  /** Multiply-accumulates of one inference. */
  macs?(context: InferContext, outputs: readonly InferredValue[]): number
}
