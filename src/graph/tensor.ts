/**
 * Element types, constants and typed arrays. A {@link Constant} keeps the bytes as they stand in the model file (often
 * unaligned); {@link readConstant} makes one aligned typed copy when somebody needs the numbers.
 */
import { DyadicError } from '../error.ts'

/**
 * Element types of the intermediate representation, by their ONNX names. `float64` also holds exact dequantised values.
 * Floats of fewer than 32 bits are held as the float32 numbers that they are, integers of fewer than 8 bits in 8 bits:
 * their width is a matter of files, their grid one of whoever makes values (`element-conversion.ts`).
 */
export type ElementType =
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'int2'
  | 'uint2'
  | 'int4'
  | 'uint4'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** A dense row-major tensor. */
export interface Tensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: TypedArray
}

/** A dense row-major tensor as little-endian bytes, possibly an unaligned view into a model file. */
export interface Constant {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

const ARRAYS = {
  float16: Float32Array,
  bfloat16: Float32Array,
  float8e4m3fn: Float32Array,
  float8e4m3fnuz: Float32Array,
  float8e5m2: Float32Array,
  float8e5m2fnuz: Float32Array,
  float8e8m0: Float32Array,
  float4e2m1: Float32Array,
  int2: Int8Array,
  uint2: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

/** Bytes per element of a type, as graphs hold it. */
export function elementBytes(type: ElementType): number {
  return ARRAYS[type].BYTES_PER_ELEMENT
}

/** Number of elements of a shape; 1 for a scalar. Throws `limit` beyond 2^53. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  if (!Number.isSafeInteger(count)) throw new DyadicError('limit', `shape [${shape}] has more than 2^53 elements`)
  return count
}

/** A zero-filled typed array for `count` elements of `type`. */
export function allocate(type: ElementType, count: number): TypedArray {
  return new ARRAYS[type](count)
}

/** An aligned typed copy of a constant. Throws `refused` when bytes and shape disagree. */
export function readConstant(constant: Constant): TypedArray {
  const count = elementCount(constant.shape)
  if (constant.bytes.byteLength !== count * elementBytes(constant.type))
    throw new DyadicError(
      'refused',
      `constant of shape [${constant.shape}] and type ${constant.type} has ${constant.bytes.byteLength} bytes`,
    )
  const { buffer, byteOffset, byteLength } = constant.bytes
  return new ARRAYS[constant.type](buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
}

/** The numbers of a constant as doubles (64-bit integers must be safe integers, or `refused` is thrown). */
export function readNumbers(constant: Constant): number[] {
  return Array.from(readConstant(constant) as ArrayLike<number | bigint>, (value) => {
    const number = Number(value)
    if (typeof value === 'bigint' && !Number.isSafeInteger(number))
      throw new DyadicError('refused', `integer ${value} does not fit 53 bits`)
    return number
  })
}

/** A constant made from numbers: integers for integer types, rounded to nearest for `float32`. */
export function makeConstant(type: ElementType, shape: readonly number[], values: ArrayLike<number>): Constant {
  const data = allocate(type, elementCount(shape))
  if (data.length !== values.length)
    throw new DyadicError('refused', `${values.length} values for a constant of shape [${shape}]`)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < data.length; i++) data[i] = BigInt(values[i])
  else data.set(values)
  return { type, shape, bytes: new Uint8Array(data.buffer) }
}
