/**
 * The element types of ONNX by number (`TensorProto.DataType`), and which of them the graph has. Types without a
 * counterpart are refused by name.
 */
import { DyadicError } from '../error.ts'
import { typeOfNumber } from '../graph/data-type-numbers.ts'
import type { ElementType } from '../graph/tensor.ts'

export const DATA_TYPE_STRING = 8

const NAMES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
  'float6e2m3',
  'float6e3m2',
]

/**
 * The graph's element type for an ONNX data type. `what` says whose it is, for messages. Throws `refused` for a number
 * that ONNX does not define and `unsupported` for a type that the graph does not have.
 */
export function elementTypeOf(dataType: number, what: string): ElementType {
  const type = typeOfNumber(dataType)
  if (type !== undefined) return type
  const name = NAMES[dataType]
  if (name === undefined || dataType === 0)
    throw new DyadicError('refused', `${what} has element type ${dataType}, which ONNX does not define`)
  throw new DyadicError(
    'unsupported',
    `${what} has element type ${name}, which dyadic does not read; export the model with float32, or integers`,
  )
}
