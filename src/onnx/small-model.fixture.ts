/** Small ONNX models for the tests of this folder, as messages to change before they are encoded. */
import { DyadicError } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { type ParseOptions, parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import { encodeModel } from './write-wire.ts'

type Dim = number | string | undefined

/** A float32 tensor with raw data; the elements are `values`, repeated as often as needed. */
export function floatTensor(name: string, dims: readonly number[], values: readonly number[] = [0.5]) {
  const count = dims.reduce((product, size) => product * size, 1)
  const data = Float32Array.from({ length: count }, (_, i) => values[i % values.length])
  return { name, dataType: 1, dims: dims.map(BigInt), rawData: new Uint8Array(data.buffer) }
}

/** An int64 tensor with raw data. */
export function int64Tensor(name: string, values: readonly (number | bigint)[]) {
  const data = BigInt64Array.from(values, BigInt)
  return { name, dataType: 7, dims: [BigInt(values.length)], rawData: new Uint8Array(data.buffer) }
}

/** A declared float32 value; an axis is a size, a name or nothing. */
export function floatValue(name: string, dims: readonly Dim[], elemType = 1): MessageInput<'ValueInfoProto'> {
  const dim = dims.map((size) =>
    typeof size === 'number' ? { dimValue: BigInt(size) } : size === undefined ? {} : { dimParam: size },
  )
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

/** An attribute: integers, floats (as `{ f }` or `{ floats }`), text or lists of integers. */
export function attribute(
  name: string,
  value: number | string | readonly number[] | { f: number } | { floats: number[] },
): MessageInput<'AttributeProto'> {
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) }
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) }
  if ('f' in value) return { name, type: 1, f: value.f }
  if ('floats' in value) return { name, type: 6, floats: value.floats }
  return { name, type: 7, ints: value.map(BigInt) }
}

/** A node named after its first output. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  ...attributes: MessageInput<'AttributeProto'>[]
): MessageInput<'NodeProto'> {
  return { opType, input, output, name: `${output[0]} node`, attribute: attributes }
}

/** A model of one graph. */
export function model(
  graph: MessageInput<'GraphProto'>,
  opset = 13,
  irVersion = 8,
): MessageInput<'ModelProto'> & { graph: MessageInput<'GraphProto'> } {
  return { irVersion: BigInt(irVersion), opsetImport: [{ domain: '', version: BigInt(opset) }], graph }
}

/** x (N,1,4,4) → Conv 3×3 with two channels → Relu → y (N,2,2,2). */
export function convolutionGraph(): {
  name: string
  node: MessageInput<'NodeProto'>[]
  initializer: MessageInput<'TensorProto'>[]
  input: MessageInput<'ValueInfoProto'>[]
  output: MessageInput<'ValueInfoProto'>[]
  valueInfo: MessageInput<'ValueInfoProto'>[]
} {
  return {
    name: 'small',
    node: [node('Conv', ['x', 'w', 'b'], ['c'], attribute('kernel_shape', [3, 3])), node('Relu', ['c'], ['y'])],
    initializer: [floatTensor('w', [2, 1, 3, 3], [0.25, -1, 2]), floatTensor('b', [2], [0.125])],
    input: [floatValue('x', ['N', 1, 4, 4])],
    output: [floatValue('y', ['N', 2, 2, 2])],
    valueInfo: [floatValue('c', ['N', 2, 2, 2])],
  }
}

export type GraphChange = (graph: ReturnType<typeof convolutionGraph>) => void

/** Reads the convolution network, changed. */
export function parseChanged(
  change: GraphChange = () => {},
  options: ParseOptions = {},
  opset = 13,
  irVersion = 8,
): Graph {
  const graph = convolutionGraph()
  change(graph)
  return parseOnnx(encodeModel(model(graph, opset, irVersion)), options)
}

/** Code and message of the DyadicError that is thrown; any other error passes through. */
export function failureOf(act: () => unknown): { code: string; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof DyadicError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('nothing was refused')
}
