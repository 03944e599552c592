/**
 * A TensorProto to a {@link Constant}. Raw data stays a view into the file; the typed lists (`float_data`, `int32_data`
 * …) are packed into little-endian bytes with range checks; the narrow types come as codes, which become the numbers
 * that they are. The number of elements must match the shape, float elements must be finite and booleans 0 or 1, unless
 * the caller tolerates NaN and infinities. Bytes outside the file come from the caller's reader.
 */
import { DyadicError } from '../error.ts'
import { bitsOf, isInteger, smallFloatFormat } from '../graph/element-conversion.ts'
import { allocate, type Constant, type ElementType, elementBytes, elementCount } from '../graph/tensor.ts'
import { DATA_TYPE_STRING, elementTypeOf } from './data-type.ts'
import { type ExternalReader, isExternal, readExternal } from './external-data.ts'
import type { Reading } from './limits.ts'
import { listBytes, unpackElements } from './narrow-elements.ts'
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
  limits: Reading,
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
    ? readOutside(tensor, type, count, what, read)
    : readBytes(tensor, dataType, type, count, shape, what)
  if (!limits.nonFinite || type === 'bool') checkElements(bytes, type, what)
  return { type, shape, bytes }
}

/** Whether elements are stored as codes that are not the numbers themselves. */
const isNarrow = (type: ElementType): boolean =>
  smallFloatFormat(type) !== undefined || (isInteger(type) && bitsOf(type) < 8)

/** Bits that one element takes in the file. */
const storedBits = (type: ElementType): number => (isNarrow(type) ? bitsOf(type) : 8 * elementBytes(type))

function readOutside(
  tensor: Message<'TensorProto'>,
  type: ElementType,
  count: number,
  what: string,
  read: ExternalReader | undefined,
): Uint8Array {
  const inside = tensor.rawData !== undefined || TYPED_LISTS.some((name) => tensor[name].length > 0)
  if (inside) throw new DyadicError('refused', `${what} has data in the file and external data as well`)
  const bytes = readExternal(tensor, Math.ceil((count * storedBits(type)) / 8), what, read)
  return isNarrow(type) ? unpackElements(bytes, type, count) : bytes
}

function readBytes(
  tensor: Message<'TensorProto'>,
  dataType: number,
  type: ElementType,
  count: number,
  shape: readonly number[],
  what: string,
): Uint8Array {
  const narrow = isNarrow(type)
  const { name: listName, values } = typedList(tensor, dataType)
  for (const name of TYPED_LISTS)
    if (tensor[name].length > 0 && (name !== listName || tensor.rawData !== undefined))
      throw new DyadicError(
        'refused',
        `${what} has ${tensor[name].length} elements in ${name}, ` +
          (tensor.rawData === undefined ? `where ${type} belongs into ${listName}` : 'and raw data as well'),
      )
  if (tensor.rawData !== undefined) {
    const bits = storedBits(type)
    const size = Math.ceil((count * bits) / 8)
    if (tensor.rawData.length !== size)
      throw new DyadicError(
        'refused',
        `${what} has ${tensor.rawData.length} bytes; shape [${shape}] with ${bits < 8 ? `${bits} bits` : `${bits / 8} bytes`} per element needs ${size}`,
      )
    return narrow ? unpackElements(tensor.rawData, type, count) : tensor.rawData
  }
  // Codes of fewer than 8 bits stand in the list as packed bytes.
  const entries = narrow ? Math.ceil((count * Math.min(8, bitsOf(type))) / 8) : count
  if (values.length !== entries)
    throw new DyadicError(
      'refused',
      `${what} has ${values.length} elements; shape [${shape}] needs ${entries}${entries === count ? '' : ' bytes'}`,
    )
  if (narrow) return unpackElements(listBytes(tensor.int32Data, type, what), type, count)
  if (listName === 'int32Data' && type !== 'int32') return fitInto(tensor.int32Data, type, what)
  if (type === 'uint32') return fitInto(tensor.uint64Data, type, what)
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
function fitInto(values: Int32Array | BigUint64Array, type: ElementType, what: string): Uint8Array {
  const target = allocate(type, values.length)
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i])
    target[i] = value
    if (target[i] !== value)
      throw new DyadicError('refused', `${what} has ${values[i]} at index ${i}, which does not fit ${type}`)
  }
  return new Uint8Array(target.buffer)
}

/** Refuses NaN and infinities by their exponent bits, and booleans other than 0 and 1. */
function checkElements(bytes: Uint8Array, type: ElementType, what: string): void {
  if (type === 'float32' || smallFloatFormat(type) !== undefined) {
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

function refuseNonFinite(bytes: Uint8Array, type: ElementType, index: number, what: string): never {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = type === 'float64' ? view.getFloat64(8 * index, true) : view.getFloat32(4 * index, true)
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
