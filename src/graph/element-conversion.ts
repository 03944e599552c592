/**
 * How a number becomes an element of a type, and how the narrow types are coded: rounding to the small floats, cutting
 * and wrapping to the integers. Source: ONNX Cast (onnx/docs/Operators.md); the grids are those of `src/formats`.
 */
import { encode, encodeNaN, decode as valueOfCode } from '../formats/convert.ts'
import { type ElementFormat, type Rounding, saturating } from '../formats/element-format.ts'
import { exponentFormat, minifloatFormat } from '../formats/minifloats.ts'
import type { ElementType, TypedArray } from './tensor.ts'

const minifloat = (exponentBits: number, mantissaBits: number, convention: 'ieee' | 'fn' | 'fnuz' | 'finite') =>
  minifloatFormat({ exponentBits, mantissaBits, convention })

const FORMATS: ReadonlyMap<ElementType, ElementFormat> = new Map([
  ['float16', minifloat(5, 10, 'ieee')],
  ['bfloat16', minifloat(8, 7, 'ieee')],
  ['float8e4m3fn', minifloat(4, 3, 'fn')],
  ['float8e4m3fnuz', minifloat(4, 3, 'fnuz')],
  ['float8e5m2', minifloat(5, 2, 'ieee')],
  ['float8e5m2fnuz', minifloat(5, 2, 'fnuz')],
  ['float8e8m0', exponentFormat('e8m0', 8, 127)],
  ['float4e2m1', minifloat(2, 1, 'finite')],
])

/** Bits of an element in a file, and for integers in arithmetic that wraps. */
const BITS: Readonly<Record<ElementType, number>> = {
  bool: 8,
  int2: 2,
  uint2: 2,
  int4: 4,
  uint4: 4,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float4e2m1: 4,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float16: 16,
  bfloat16: 16,
  float32: 32,
  float64: 64,
}

/** Bits of an element: of its code in a file, and of an integer's arithmetic. */
export function bitsOf(type: ElementType): number {
  return BITS[type]
}

/** The grid of a float of fewer than 32 bits; `undefined` for every other type. */
export function smallFloatFormat(type: ElementType): ElementFormat | undefined {
  return FORMATS.get(type)
}

/** Whether a type holds integers (booleans are none). */
export function isInteger(type: ElementType): boolean {
  return type.startsWith('int') || type.startsWith('uint')
}

/** Least and greatest value of an integer type. */
export function integerRange(type: ElementType): readonly [bigint, bigint] {
  const bits = BigInt(BITS[type])
  return type.startsWith('u') ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
}

/** An exact integer brought into a type's width by dropping the bits above it. */
export function wrapInteger(type: ElementType, value: bigint): bigint {
  return type.startsWith('u') ? BigInt.asUintN(BITS[type], value) : BigInt.asIntN(BITS[type], value)
}

/** Stores an integer that has the type's width already. */
export function storeInteger(data: TypedArray, index: number, value: bigint): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = value
  else data[index] = Number(value)
}

/** What ONNX Cast lets a caller choose. */
export interface ConversionOptions {
  /** Whether finite overflow and infinities become the greatest number of a float8 or float4. Default true. */
  readonly saturate?: boolean
  /** How float8e8m0 rounds: ONNX's `round_mode`. Default `up`. */
  readonly exponentRounding?: 'up' | 'down' | 'nearest'
}

const SATURATING: ReadonlyMap<ElementType, ElementFormat> = new Map(
  Array.from(FORMATS, ([type, format]) => [type, saturating(format)]),
)

const EXPONENT_ROUNDINGS: Readonly<Record<'up' | 'down' | 'nearest', Rounding>> = {
  up: 'up',
  down: 'down',
  nearest: 'nearest-away',
}

/**
 * The number of a small float type nearest to `value`, ties to even. float16 and bfloat16 overflow to infinity whatever
 * `saturate` says. float4e2m1 has no NaN: one becomes −0, as in the ONNX suite.
 */
export function roundToSmallFloat(type: ElementType, value: number, options: ConversionOptions = {}): number {
  const half = type === 'float16' || type === 'bfloat16'
  const saturates = (options.saturate ?? true) && !half
  const format = (saturates ? SATURATING : FORMATS).get(type) as ElementFormat
  if (Number.isNaN(value)) return format.nanCode === undefined ? -0 : valueOfCode(format, encodeNaN(format))
  if (type === 'float8e8m0') return roundExponent(format, value, options.exponentRounding ?? 'up')
  return valueOfCode(format, encode(format, value))
}

/** A power of two near |value|; sign and zero have no place in the type, the least power stands for zero. */
function roundExponent(format: ElementFormat, value: number, mode: 'up' | 'down' | 'nearest'): number {
  const size = Math.max(Math.abs(value), valueOfCode(format, 0))
  return valueOfCode(format, encode(format, size, EXPONENT_ROUNDINGS[mode]))
}

/**
 * One element of `type` made from a number, in the form of the type's array: floats rounded to nearest, integers cut
 * towards zero and wrapped, booleans whether it is not 0. Returns `undefined` for NaN and infinities to an integer type:
 * ONNX leaves them undefined.
 */
export function convertElement(
  type: ElementType,
  value: number | bigint,
  options: ConversionOptions = {},
): number | bigint | undefined {
  // NaN is not 0.
  if (type === 'bool') return value === 0 || value === 0n ? 0 : 1
  if (FORMATS.has(type)) return roundToSmallFloat(type, Number(value), options)
  if (!isInteger(type)) return Number(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  const whole = wrapInteger(type, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))
  return BITS[type] === 64 ? whole : Number(whole)
}

/** The code of an element as an unsigned integer of `bitsOf(type)` bits. */
export function codeOf(type: ElementType, value: number | bigint): bigint {
  const format = FORMATS.get(type)
  if (format !== undefined) return BigInt(encode(format, Number(value)))
  const view = new DataView(new ArrayBuffer(8))
  if (type === 'float32') view.setFloat32(0, Number(value))
  else if (type === 'float64') view.setFloat64(0, Number(value))
  else return BigInt.asUintN(BITS[type], BigInt(value))
  return type === 'float32' ? BigInt(view.getUint32(0)) : view.getBigUint64(0)
}

/** The element that a code stands for: the inverse of {@link codeOf}. */
export function elementOfCode(type: ElementType, code: bigint): number | bigint {
  const format = FORMATS.get(type)
  if (format !== undefined) return valueOfCode(format, Number(code))
  const view = new DataView(new ArrayBuffer(8))
  if (type === 'float32') {
    view.setUint32(0, Number(code))
    return view.getFloat32(0)
  }
  if (type === 'float64') {
    view.setBigUint64(0, code)
    return view.getFloat64(0)
  }
  const value = wrapInteger(type, code)
  return BITS[type] === 64 ? value : Number(value)
}
