/**
 * Conversion of typed arrays. The result is that of `encode` and `decode` element by element, bit for bit. Long arrays go through
 * kernels (`array-kernels.ts`); of what is left, formats of at most 8 bits through a table, float16, bfloat16 and tf32 through
 * their bits, wide integers through floor and remainder, everything else through the definition.
 */
import { DyadicError } from '../error.ts'
import { decodeByKernels, encodeByKernels, quantizeByKernels } from './array-kernels.ts'
import { bitEncoder } from './bit-encoder.ts'
import { decode, encode, encodeNaN } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { encodeTable } from './encode-table.ts'
import { finiteValues, requireScale, valueTable } from './format-values.ts'
import { integerEncoder } from './integer-encoder.ts'

export { finiteValues, requireScale, valueTable }

/** Codes in the narrowest array that holds them: up to 8, 16, 32 bits. */
export type Codes = Uint8Array | Uint16Array | Uint32Array

/** How an array is encoded. */
export interface EncodeOptions {
  /** Values are divided by it, in double precision, before they are rounded. Default 1. */
  readonly scale?: number
  /** Default: that of the format. */
  readonly rounding?: Rounding
  /** Random words for `stochastic`, one per value. */
  readonly random?: Uint32Array
}

/** An array for `length` codes of a format. */
export function allocateCodes(format: ElementFormat, length: number): Codes {
  return format.bits <= 8
    ? new Uint8Array(length)
    : format.bits <= 16
      ? new Uint16Array(length)
      : new Uint32Array(length)
}

/**
 * Codes of `values / scale`. Throws `usage` for a scale that is not finite and positive or for too few random words, `refused`
 * for NaN in a format without it, naming the element.
 */
export function encodeArray(
  format: ElementFormat,
  values: Float32Array | Float64Array,
  { scale = 1, rounding = format.rounding, random }: EncodeOptions = {},
  codes: Codes = allocateCodes(format, values.length),
): Codes {
  requireScale(format, scale)
  if (rounding === 'stochastic' && !(random !== undefined && random.length >= values.length))
    throw new DyadicError(
      'usage',
      `stochastic rounding of ${values.length} values needs as many random words, there are ${random?.length ?? 0}`,
    )
  const unordered = encodeByKernels(format, values, scale, rounding, codes)
  if (unordered !== undefined) {
    if (unordered) nanAt(format, values.findIndex(Number.isNaN))
    return codes
  }
  const table = encodeTable(format, rounding)
  const ofBits = table === undefined ? bitEncoder(format, rounding) : undefined
  if (table !== undefined || ofBits !== undefined)
    for (let start = 0; start < values.length; start += CHUNK) {
      const part = values.subarray(start, start + CHUNK)
      const patterns = patternsToOdd(part, scale)
      for (let i = 0; i < part.length; i++) {
        const pattern = patterns[i]!
        if ((pattern & 0x7fffffff) > 0x7f800000) codes[start + i] = nanAt(format, start + i)
        else if (table === undefined) codes[start + i] = ofBits!(pattern)
        else {
          const entry = table[pattern >>> 16]!
          codes[start + i] = (pattern & 0xffff) < entry >>> 16 ? entry & 0xff : (entry >>> 8) & 0xff
        }
      }
    }
  else {
    const ofInteger = integerEncoder(format, rounding)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! / scale
      if (Number.isNaN(value)) codes[i] = nanAt(format, i)
      else codes[i] = ofInteger === undefined ? encode(format, value, rounding, random?.[i]) : ofInteger(value)
    }
  }
  return codes
}

const CHUNK = 8192
const scratch = new Uint32Array(CHUNK)
const scratchFloats = new Float32Array(scratch.buffer)

/**
 * The bits of values / scale as float32, rounded to odd where they are none (`binary64.ts`); NaN stays NaN. Valid until the next
 * call; for float32 at scale 1 the array's own bits.
 */
function patternsToOdd(values: Float32Array | Float64Array, scale: number): Uint32Array {
  if (values instanceof Float32Array && scale === 1)
    return new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! / scale
    scratchFloats[i] = value
    const rounded = scratchFloats[i]!
    const pattern = scratch[i]!
    if (rounded !== value && (pattern & 1) === 0 && !Number.isNaN(value))
      scratch[i] = Math.abs(rounded) < Math.abs(value) ? pattern + 1 : pattern - 1
  }
  return scratch
}

/**
 * Values of codes times `scale`, computed in double precision and stored in `values` (default: float32, which holds every value
 * of integers and minifloats exactly at scale 1). Throws `usage` for a code beyond the format's bits.
 */
export function decodeArray<Values extends Float32Array | Float64Array = Float32Array>(
  format: ElementFormat,
  codes: ArrayLike<number>,
  scale = 1,
  values: Values = new Float32Array(codes.length) as Values,
): Values {
  requireScale(format, scale)
  const table = valueTable(format)
  if (values instanceof Float32Array && decodeByKernels(format, codes, scale, values)) return values
  for (let i = 0; i < codes.length; i++) {
    // The definition throws for what is no code.
    values[i] = (table[codes[i]!] ?? decode(format, codes[i]!)) * scale
  }
  return values
}

/** `values` rounded to the format: decode(encode(value / scale)) × scale, in double precision. */
export function quantizeArray(
  format: ElementFormat,
  values: Float32Array | Float64Array,
  options: EncodeOptions = {},
): Float64Array {
  const { scale = 1, rounding = format.rounding } = options
  requireScale(format, scale)
  const rounded = new Float64Array(values.length)
  const unordered = quantizeByKernels(format, values, scale, rounding, rounded)
  if (unordered !== undefined) {
    if (unordered) nanAt(format, values.findIndex(Number.isNaN))
    return rounded
  }
  const codes = encodeArray(format, values, options)
  return decodeArray(format, codes, scale, rounded)
}

/** What a conversion lost that rounding does not explain. */
export interface ConversionLosses {
  /** Finite values beyond an end by more than half the last step: they saturated, or became ∞ or NaN. */
  readonly overflowed: number
  /** Values other than zero that became zero. */
  readonly zeroed: number
  /** Values that became the other sign's, or whose −0 became +0. */
  readonly signs: number
  /** NaN and ∞ that became something else. */
  readonly specials: number
}

/** Counts what `codes = encodeArray(format, values, { scale })` lost, so that nothing is lost silently. */
export function conversionLosses(
  format: ElementFormat,
  values: Float32Array | Float64Array,
  codes: ArrayLike<number>,
  scale = 1,
): ConversionLosses {
  const table = valueTable(format)
  let [overflowed, zeroed, signs, specials] = [0, 0, 0, 0]
  const sorted = finiteValues(format)
  const low = 1.5 * sorted[0]! - 0.5 * sorted[1]!
  const high = 1.5 * sorted.at(-1)! - 0.5 * sorted.at(-2)!
  for (let i = 0; i < values.length; i++) {
    const before = values[i]! / scale
    const after = table[codes[i]!]!
    if (!Number.isFinite(before)) {
      if (!Object.is(before, after)) specials++
      continue
    }
    if (before > high || before < low) overflowed++
    if (after === 0 && before !== 0) zeroed++
    if (!Number.isNaN(after) && (before < 0 || Object.is(before, -0)) !== (after < 0 || Object.is(after, -0))) signs++
  }
  return { overflowed, zeroed, signs, specials }
}

function nanAt(format: ElementFormat, index: number): number {
  try {
    return encodeNaN(format)
  } catch (error) {
    throw error instanceof DyadicError ? new DyadicError(error.code, `element ${index}: ${error.message}`) : error
  }
}
