/** Small models of the corpus: one line for a node, one for a whole graph. All work on `x` and give `y`. */
import type { MessageInput } from '../../src/onnx/schema.ts'
import { encodeModel } from '../../src/onnx/write-wire.ts'

export type GraphInput = MessageInput<'GraphProto'>
export type NodeInput = MessageInput<'NodeProto'>
export type TensorInput = MessageInput<'TensorProto'>

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A float32 tensor with raw data. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): TensorInput {
  const data = new Uint8Array(Float32Array.from(values).buffer)
  return { name, dataType: 1, dims: dims.map(BigInt), rawData: data }
}

/** A one-dimensional int64 tensor. */
export function longs(name: string, values: readonly (number | bigint)[]): TensorInput {
  return { name, dataType: 7, dims: [BigInt(values.length)], int64Data: values.map(BigInt) }
}

/** A tensor of single bytes: data type 2 (uint8) or 3 (int8). */
export function octets(name: string, dataType: 2 | 3, dims: readonly number[], values: readonly number[]): TensorInput {
  return { name, dataType, dims: dims.map(BigInt), rawData: Uint8Array.from(values) }
}

/** A declared value. */
export function value(
  name: string,
  dims: readonly (number | bigint | string)[],
  elemType = 1,
): MessageInput<'ValueInfoProto'> {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: BigInt(size) }))
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

type AttributeGiven =
  | bigint
  | number
  | string
  | readonly (number | bigint)[]
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorInput }
  | { readonly graph: GraphInput }

/** Integers are bigint or a list, floats number, `{ floats }`, `{ tensor }` and `{ graph }` what they say. */
export function attribute(name: string, given: AttributeGiven): MessageInput<'AttributeProto'> {
  if (typeof given === 'bigint') return { name, type: 2, i: given }
  if (typeof given === 'number') return { name, type: 1, f: given }
  if (typeof given === 'string') return { name, type: 3, s: utf8(given) }
  if ('floats' in given) return { name, type: 6, floats: given.floats }
  if ('tensor' in given) return { name, type: 4, t: given.tensor }
  if ('graph' in given) return { name, type: 5, g: given.graph }
  return { name, type: 7, ints: given.map(BigInt) }
}

/** A node, named after its operator. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeGiven>> = {},
): NodeInput {
  return {
    opType,
    input,
    output,
    name: `the ${opType}`,
    attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
  }
}

/** A file with one graph. */
export function file(graph: GraphInput, opset = 13, irVersion = 8): Uint8Array {
  return encodeModel({
    irVersion: BigInt(irVersion),
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: { name: 'g', ...graph },
  })
}

/** A file of nodes from `x` of one shape to `y` of another. */
export function net(
  nodes: readonly NodeInput[],
  initializer: readonly TensorInput[] = [],
  from: readonly (number | bigint | string)[] = [1, 4],
  to: readonly (number | bigint | string)[] = from,
  opset = 13,
): Uint8Array {
  return file({ node: nodes, initializer, input: [value('x', from)], output: [value('y', to)] }, opset)
}

/** One operator on `x` and initializers. */
export function single(
  opType: string,
  attributes: Readonly<Record<string, AttributeGiven>> = {},
  initializer: readonly TensorInput[] = [],
  from: readonly (number | bigint | string)[] = [1, 4],
  to: readonly (number | bigint | string)[] = from,
  opset = 13,
): Uint8Array {
  const inputs = ['x', ...initializer.map(({ name }) => name as string)]
  return net([node(opType, inputs, ['y'], attributes)], initializer, from, to, opset)
}

/** The honest network of the corpus: y = relu(x + w), w = [1, −2, 3, −4]. */
export const honestGraph: GraphInput & { readonly node: readonly NodeInput[] } = {
  node: [node('Add', ['x', 'w'], ['s']), node('Relu', ['s'], ['y'])],
  initializer: [floats('w', [4], [1, -2, 3, -4])],
  input: [value('x', [1, 4])],
  output: [value('y', [1, 4])],
}

export const honest = (): Uint8Array => file(honestGraph)
export const honestResult = { x: [0, 1, -5, 10], y: [1, 0, 0, 6] } as const
