/**
 * Numbers as ONNX tensors: which data type holds the codes of a format, and the bytes of an initialiser. Codes of 4 bits
 * and fewer are packed two to a byte, the first in the low half (ONNX, TensorProto.int4).
 */
import { DyadicError } from '../error.ts'
import type { Constant } from '../graph/tensor.ts'
import { readNumbers } from '../graph/tensor.ts'
import type { MessageInput } from '../onnx/schema.ts'
import type { ActivationFormat, WeightFormat } from '../quantize/plan.ts'

/** Numbers of `TensorProto.DataType`. */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  uint4: 21,
  int4: 22,
} as const
export type StoredType = keyof typeof DATA_TYPES

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
} as const

/** An initialiser before it has a name. */
export type StoredTensor = Pick<MessageInput<'TensorProto'>, 'dims' | 'dataType' | 'rawData'>

/** The type that holds a layer's codes: 4 bits for up to 4, 8 for the others. */
export function weightType(format: WeightFormat): 'uint8' | 'int8' | 'int4' {
  if (format === 'u8') return 'uint8'
  return Number(format.slice(1)) <= 4 ? 'int4' : 'int8'
}

/** The type that holds a value's codes. ONNX Runtime has few operators for 4-bit types: such codes are kept in 8 bits. */
export function activationType(format: Exclude<ActivationFormat, 's32'>): 'uint8' | 'int8' | 'int16' {
  if (format === 's16') return 'int16'
  return format[0] === 'u' ? 'uint8' : 'int8'
}

/** The bytes of numbers that the type can hold; float32 ones are rounded to nearest. */
export function storeNumbers(type: StoredType, shape: readonly number[], numbers: ArrayLike<number>): StoredTensor {
  const tensor = { dims: shape.map(BigInt), dataType: DATA_TYPES[type] }
  if (type === 'int64') {
    const data = BigInt64Array.from(numbers, BigInt)
    return { ...tensor, rawData: new Uint8Array(data.buffer) }
  }
  if (type === 'int4' || type === 'uint4') {
    const rawData = new Uint8Array(Math.ceil(numbers.length / 2))
    for (let i = 0; i < numbers.length; i++) rawData[i >> 1] |= (numbers[i] & 15) << (4 * (i & 1))
    return { ...tensor, rawData }
  }
  const data = ARRAYS[type].from(numbers)
  return { ...tensor, rawData: new Uint8Array(data.buffer) }
}

/** A constant of the graph as it is, exact doubles rounded to float32. Throws `unsupported` for types that no export needs. */
export function storeConstant(constant: Constant, where: string): StoredTensor {
  const type = constant.type === 'float64' ? 'float32' : constant.type
  if (!(type in DATA_TYPES))
    throw new DyadicError('unsupported', `${where} is a constant of type ${type}, which exports do not hold`)
  return storeNumbers(type as StoredType, constant.shape, readNumbers(constant))
}
