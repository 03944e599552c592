/**
 * Block formats: elements of one format that share a scale. A block format is a record too: the element, how many of them share a
 * scale, and the rule that makes the scale. One encode and one decode serve OCP MX, NVFP4, groups of integers and dynamic fixed
 * point, which is one block as long as the tensor.
 *
 * Sources: OCP Microscaling Formats v1.0 (2023), section 6.3; NVFP4 as its vendor describes it; Das et al. 2018 (DFP16).
 */
import { DyadicError, quoted } from '../error.ts'
import { exponentOf, twoTo } from './binary64.ts'
import { allocateCodes, type Codes, encodeArray, valueTable } from './bulk.ts'
import { encode, largest, round } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'

/** How the scale of a block follows from its values. */
export type BlockScaling =
  /**
   * OCP MX: 2^(⌊log2 max|v|⌋ − emax) as E8M0, emax the exponent of the greatest element. The exponent is limited to −127 … 127; a
   * block with NaN, ∞ or a scale beyond is NaN as a whole. Because of the floor the largest element may saturate: so it is defined.
   */
  | { readonly kind: 'power-of-two'; readonly scale: ElementFormat; readonly greatestExponent: number }
  /**
   * NVFP4: a float32 scale g of the tensor, max|v| / (greatest element × greatest scale), and per block a scale in a format:
   * round(max|block| / greatest element / g). An element is divided by the product of both.
   */
  | { readonly kind: 'two-level'; readonly scale: ElementFormat }
  /** max|block| / greatest element, rounded to float32. */
  | { readonly kind: 'float32' }
  /**
   * Dynamic fixed point: 2^(e − (bits − 1 − headroom)) with max|v| < 2^e, e the exponent of C's frexp. A real exponent, not a
   * code: it is kept as a signed integer.
   */
  | { readonly kind: 'fixed-point'; readonly headroom: number }

/** A format of elements that share scales. */
export interface BlockFormat {
  readonly kind: 'block'
  readonly name: string
  readonly element: ElementFormat
  /** Elements that share a scale, or all. */
  readonly size: number | 'tensor'
  readonly scaling: BlockScaling
}

/** A tensor in a block format. The last block may be short: it is scaled by the elements that exist. */
export interface BlockTensor {
  readonly format: BlockFormat
  /** One code per element, not packed. */
  readonly codes: Codes
  /** One code of the scale's format per block; undefined where scales are float32 or exponents. */
  readonly scaleCodes: Uint8Array | undefined
  /** The scale of each block as a number (NaN for a NaN block), without `tensorScale`. */
  readonly scales: Float64Array
  /** Second level of NVFP4; 1 elsewhere. */
  readonly tensorScale: number
}

/** How elements are rounded. */
export interface BlockOptions {
  /** Of the elements. Default: that of the element format. */
  readonly rounding?: Rounding
  /** Random words for `stochastic`, one per element. */
  readonly random?: Uint32Array
}

/** Bits per element with its share of the scale, for whole blocks; a scale per tensor counts nothing. */
export function bitsPerElement({ element, size, scaling }: BlockFormat): number {
  if (size === 'tensor') return element.bits
  const scaleBits = scaling.kind === 'float32' ? 32 : scaling.kind === 'fixed-point' ? 8 : scaling.scale.bits
  return element.bits + scaleBits / size
}

/**
 * Encodes a tensor, blocks along its last axis: `values.length` elements in order. Throws `refused` for NaN and ∞ where the
 * scale has no NaN (everything but MX), and for float64 values beyond the reach of a float32 scale.
 */
export function encodeBlocks(
  format: BlockFormat,
  values: Float32Array | Float64Array,
  options: BlockOptions = {},
): BlockTensor {
  const { element, scaling } = format
  const size = format.size === 'tensor' ? Math.max(1, values.length) : format.size
  const count = Math.ceil(values.length / size)
  const codes = allocateCodes(element, values.length)
  const scales = new Float64Array(count)
  const tensorScale = scaling.kind === 'two-level' ? secondLevel(format, values) : 1
  const scaleCodes = scaling.kind === 'power-of-two' || scaling.kind === 'two-level' ? new Uint8Array(count) : undefined
  const rounding = options.rounding ?? element.rounding
  for (let block = 0; block < count; block++) {
    const part = values.subarray(block * size, (block + 1) * size)
    const scale = blockScale(format, greatest(part), tensorScale)
    scales[block] = scale
    if (scaleCodes !== undefined && 'scale' in scaling) scaleCodes[block] = encode(scaling.scale, scale)
    const divisor = scale * tensorScale
    // A NaN block keeps zeros; a block whose scale has become 0 keeps signs and zeros.
    if (Number.isNaN(scale)) continue
    const target = codes.subarray(block * size, (block + 1) * size)
    if (divisor === 0) for (let i = 0; i < part.length; i++) target[i] = encode(element, part[i]! < 0 ? -0 : 0)
    else
      encodeArray(
        element,
        part,
        {
          scale: divisor,
          rounding,
          ...(options.random && { random: options.random.subarray(block * size, (block + 1) * size) }),
        },
        target,
      )
  }
  return { format, codes, scaleCodes, scales, tensorScale }
}

/** The values: element × scale × second-level scale, in double precision. */
export function decodeBlocks({ format, codes, scales, tensorScale }: BlockTensor): Float64Array {
  const table = valueTable(format.element)
  const size = format.size === 'tensor' ? Math.max(1, codes.length) : format.size
  const values = new Float64Array(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = table[codes[i]!]! * (scales[Math.floor(i / size)]! * tensorScale)
  return values
}

/** max|v| of a block; NaN when there is one, or ∞. */
function greatest(values: Float32Array | Float64Array): number {
  let most = 0
  for (const value of values) {
    const size = Math.abs(value)
    if (!(size < Number.POSITIVE_INFINITY)) return Number.NaN
    if (size > most) most = size
  }
  return most
}

function blockScale({ name, element, scaling }: BlockFormat, most: number, tensorScale: number): number {
  if (Number.isNaN(most) && scaling.kind !== 'power-of-two') throw specialError(name)
  switch (scaling.kind) {
    case 'power-of-two': {
      if (most === 0) return twoTo(-127)
      const exponent = Number.isNaN(most) ? 128 : exponentOf(most) - scaling.greatestExponent
      return exponent > 127 ? Number.NaN : twoTo(Math.max(-127, exponent))
    }
    case 'two-level':
      return tensorScale === 0 ? 0 : round(scaling.scale, most / largest(element) / tensorScale)
    case 'float32':
      return most === 0 ? 1 : float32Scale(name, most, largest(element))
    case 'fixed-point': {
      const exponent = most === 0 ? 0 : exponentOf(most) + 1
      return twoTo(Math.max(-1074, exponent - (element.bits - 1 - scaling.headroom)))
    }
  }
}

function secondLevel({ name, element, scaling }: BlockFormat, values: Float32Array | Float64Array): number {
  const most = greatest(values)
  if (Number.isNaN(most)) throw specialError(name)
  return 'scale' in scaling ? float32Scale(name, most, largest(element) * largest(scaling.scale)) : 1
}

function float32Scale(name: string, most: number, greatest: number): number {
  const scale = Math.fround(most / greatest)
  if (scale < Number.POSITIVE_INFINITY) return scale
  throw new DyadicError(
    'refused',
    `${quoted(name)}: the magnitude ${most} needs a scale beyond float32; divide the values`,
  )
}

function specialError(name: string): DyadicError {
  return new DyadicError(
    'refused',
    `${quoted(name)} has no code for NaN and infinities; remove them, or use an MX format`,
  )
}
