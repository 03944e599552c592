/**
 * A TensorProto to a {@link Constant}. Raw data stays a view into the file; the typed lists (`float_data`, `int32_data`
 * …) are packed into little-endian bytes with range checks; float16 is widened to float32, exactly. The number of
 * elements must match the shape, float elements must be finite and booleans 0 or 1. Bytes outside the file come from the caller's reader.
 */
import { DyadicError } from '../error.ts'
import { allocate, type Constant, type ElementType, elementBytes, elementCount } from '../graph/tensor.ts'
import { DATA_TYPE_FLOAT16, DATA_TYPE_STRING, elementTypeOf } from './data-type.ts'
import { type ExternalReader, isExternal, readExternal } from './external-data.ts'
import type { Limits } from './limits.ts'
import type { Message } from './schema.ts'
import { checkShape } from './shape.ts'
import { decodeUtf8 } from './wire.ts'

/**
 * The constant that a tensor holds. `what` names it, for messages. Throws `refused` on contradictions and non-finite
 * numbers, `unsupported` on external data without `read`, segments and unreadable element types, `limit` on too many elements.
 */
export function readTensor(
  tensor: Message<'TensorProto'>,
  what: string,
  limits: Limits,
  read?: ExternalReader,
): Constant {
  const external = isExternal(tensor, what)
  if (tensor.segment !== undefined)
    throw new DyadicError('unsupported', `${what} is a segment of a larger tensor; save the model with whole tensors`)
  const dataType = tensor.dataType ?? 0
  if (dataType === DATA_TYPE_STRING || tensor.stringData.length > 0)
    throw new DyadicError('unsupported', `${what} holds strings; dyadic reads numbers only`)
  const type = elementTypeOf(dataType, what)
  const shape = checkShape(tensor.dims, what, limits, true)
  const count = elementCount(shape)
  const bytes = external
    ? readOutside(tensor, dataType, type, count, what, read)
    : readBytes(tensor, dataType, type, count, shape, what)
  checkElements(bytes, type, what)
  return { type, shape, bytes }
}

function readOutside(
  tensor: Message<'TensorProto'>,
  dataType: number,
  type: ElementType,
  count: number,
  what: string,
  read: ExternalReader | undefined,
): Uint8Array {
  const inside = tensor.rawData !== undefined || TYPED_LISTS.some((name) => tensor[name].length > 0)
  if (inside) throw new DyadicError('refused', `${what} has data in the file and external data as well`)
  const half = dataType === DATA_TYPE_FLOAT16
  const bytes = readExternal(tensor, count * (half ? 2 : elementBytes(type)), what, read)
  return half ? widenHalf(bytes) : bytes
}

function readBytes(
  tensor: Message<'TensorProto'>,
  dataType: number,
  type: ElementType,
  count: number,
  shape: readonly number[],
  what: string,
): Uint8Array {
  const half = dataType === DATA_TYPE_FLOAT16
  const { name: listName, values } = typedList(tensor, dataType)
  for (const name of TYPED_LISTS)
    if (tensor[name].length > 0 && (name !== listName || tensor.rawData !== undefined))
      throw new DyadicError(
        'refused',
        `${what} has ${tensor[name].length} elements in ${name}, ` +
          (tensor.rawData === undefined ? `where ${type} belongs into ${listName}` : 'and raw data as well'),
      )
  if (tensor.rawData !== undefined) {
    const size = half ? 2 : elementBytes(type)
    if (tensor.rawData.length !== count * size)
      throw new DyadicError(
        'refused',
        `${what} has ${tensor.rawData.length} bytes; shape [${shape}] with ${size} bytes per element needs ${count * size}`,
      )
    return half ? widenHalf(tensor.rawData) : tensor.rawData
  }
  if (values.length !== count)
    throw new DyadicError('refused', `${what} has ${values.length} elements; shape [${shape}] needs ${count}`)
  if (half) {
    const halves = narrow(tensor.int32Data, 'uint16', what)
    return widenHalf(halves)
  }
  if (listName === 'int32Data' && type !== 'int32') return narrow(tensor.int32Data, type, what)
  if (type === 'uint32') return narrow(tensor.uint64Data, type, what)
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

const TYPED_LISTS = ['floatData', 'int32Data', 'int64Data', 'doubleData', 'uint64Data'] as const

/** The list that ONNX prescribes for a data type. */
function typedList(tensor: Message<'TensorProto'>, dataType: number) {
  const name = (
    {
      1: 'floatData',
      7: 'int64Data',
      11: 'doubleData',
      12: 'uint64Data',
      13: 'uint64Data',
    } as const
  )[dataType]
  return { name: name ?? 'int32Data', values: tensor[name ?? 'int32Data'] }
}

/** Bytes of a narrower integer type; every element must fit. */
function narrow(values: Int32Array | BigUint64Array, type: ElementType, what: string): Uint8Array {
  const target = allocate(type, values.length)
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i])
    target[i] = value
    if (target[i] !== value)
      throw new DyadicError('refused', `${what} has ${values[i]} at index ${i}, which does not fit ${type}`)
  }
  return new Uint8Array(target.buffer)
}

/** Little-endian float16 to little-endian float32; exact for every number, infinities and NaN stay what they are. */
function widenHalf(bytes: Uint8Array): Uint8Array {
  const target = new Float32Array(bytes.length / 2)
  for (let i = 0; i < target.length; i++) {
    const half = bytes[2 * i] | (bytes[2 * i + 1] << 8)
    const exponent = (half >> 10) & 0x1f
    const fraction = half & 0x3ff
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Infinity
            : NaN
          : (fraction + 1024) * 2 ** (exponent - 25)
    target[i] = half & 0x8000 ? -magnitude : magnitude
  }
  return new Uint8Array(target.buffer)
}

/** Refuses NaN and infinities by their exponent bits, and booleans other than 0 and 1. */
function checkElements(bytes: Uint8Array, type: ElementType, what: string): void {
  if (type === 'float32') {
    for (let i = 3; i < bytes.length; i += 4)
      if ((bytes[i] & 0x7f) === 0x7f && bytes[i - 1] >= 0x80) refuseNonFinite(bytes, type, (i - 3) / 4, what)
  } else if (type === 'float64') {
    for (let i = 7; i < bytes.length; i += 8)
      if ((bytes[i] & 0x7f) === 0x7f && bytes[i - 1] >= 0xf0) refuseNonFinite(bytes, type, (i - 7) / 8, what)
  } else if (type === 'bool') {
    const index = bytes.findIndex((byte) => byte > 1)
    if (index >= 0) throw new DyadicError('refused', `${what} has the boolean ${bytes[index]} at index ${index}`)
  }
}

function refuseNonFinite(bytes: Uint8Array, type: 'float32' | 'float64', index: number, what: string): never {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = type === 'float32' ? view.getFloat32(4 * index, true) : view.getFloat64(8 * index, true)
  throw new DyadicError(
    'refused',
    `${what} has ${value} at index ${index}: a network with such a number has no meaning; repair or retrain the model`,
  )
}

/** Text of an attribute. Throws `refused` when it is not UTF-8. */
export function readText(bytes: Uint8Array, what: string): string {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw new DyadicError('refused', `${what} is not valid UTF-8`)
  return text
}
