/**
 * How operators read their contexts: attributes by kind, operands as numbers, arguments that must be constants, and
 * refusals that name the node. Attribute kinds are checked by `inferGraph` before any rule runs, so reads do not repeat it.
 */
import { DyadicError, quoted } from '../../error.ts'
import type { AttributeValue } from '../graph.ts'
import type { InferContext, InferredValue } from '../operator.ts'
import { type Constant, type ElementType, readNumbers, type Tensor } from '../tensor.ts'

type Attributes = ReadonlyMap<string, AttributeValue>

/** An integer or float attribute that has a default or is required. */
export function numberAttribute(attributes: Attributes, name: string): number {
  return attributes.get(name) as number
}

/** An optional integer or float attribute. */
export function optionalNumber(attributes: Attributes, name: string): number | undefined {
  return attributes.get(name) as number | undefined
}

/** An optional list of integers or floats. */
export function numbersAttribute(attributes: Attributes, name: string): readonly number[] | undefined {
  return attributes.get(name) as readonly number[] | undefined
}

/** A string attribute that has a default or is required. */
export function stringAttribute(attributes: Attributes, name: string): string {
  return attributes.get(name) as string
}

/** Throws `refused`: the node contradicts itself or the operator's definition. */
export function refuse(node: string, reason: string): never {
  throw new DyadicError('refused', `node ${quoted(node)}: ${reason}`)
}

/** Throws `unsupported`: the node is legal ONNX that dyadic does not do. */
export function unsupported(node: string, reason: string): never {
  throw new DyadicError('unsupported', `node ${quoted(node)}: ${reason}`)
}

/** Type and shape of an input that the arity check guarantees. */
export function operand(context: InferContext, index: number): InferredValue {
  return context.inputs[index] ?? refuse(context.node, `input ${index} is omitted, but the operator needs it`)
}

/** The input's numbers, which must be a constant: shapes are static. `undefined` when the input is omitted. */
export function constantNumbers(context: InferContext, index: number, what: string): number[] | undefined {
  if (context.inputs[index] === undefined) return undefined
  const constant: Constant | undefined = context.constant(index)
  if (constant === undefined)
    unsupported(
      context.node,
      `its ${what} (input ${index}) is computed at run time; shapes must be static: bind it or simplify the model`,
    )
  if (constant.type !== 'int64' && constant.type !== 'int32')
    refuse(context.node, `its ${what} (input ${index}) has type ${constant.type}; int64 or int32 is needed`)
  return readNumbers(constant)
}

/** The types that floating-point operators compute in, the narrowest first. */
const FLOATS = ['float16', 'bfloat16', 'float32', 'float64'] as const
export type FloatType = (typeof FLOATS)[number]

export function isFloat(type: ElementType): type is FloatType {
  return (FLOATS as readonly ElementType[]).includes(type)
}

/**
 * Type of a float result. Exact (`float64`) constants do not widen run-time activations: the run-time inputs decide, and
 * only a node of constants takes the widest of them. Throws `refused` when an input is not a float.
 */
export function floatResult(context: InferContext): FloatType {
  let constants: FloatType | undefined
  let computed: FloatType | undefined
  const wider = (a: FloatType | undefined, b: FloatType): FloatType =>
    a !== undefined && FLOATS.indexOf(a) > FLOATS.indexOf(b) ? a : b
  context.inputs.forEach((input, index) => {
    if (input === undefined) return
    if (!isFloat(input.type)) refuse(context.node, `input ${index} has type ${input.type}; a float tensor is needed`)
    if (context.constant(index) !== undefined) constants = wider(constants, input.type)
    else computed = wider(computed, input.type)
  })
  return computed ?? constants ?? 'float32'
}

/** The elements of an operand as doubles. Throws `refused` for 64-bit integers, which no float meaning reads. */
export function numbersOf(tensor: Tensor | undefined, node: string): ArrayLike<number> {
  if (tensor === undefined) refuse(node, 'a needed input has no value')
  const { data } = tensor
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    refuse(node, `cannot compute with ${tensor.type} elements`)
  return data
}
