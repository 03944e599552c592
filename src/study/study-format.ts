/**
 * What the name of a format means in a study: everything `dyadic/formats` knows, and what only makes sense for a tensor whose
 * scale is chosen too. A study sends every overflow to the end of the range, since the scale decides what overflows.
 *
 * - `float32`: nothing is rounded.
 * - `e4m3`, `e2m5`, …: without a convention every code is a number (Aggarwal et al. 2024, section on formats).
 * - `…-flexible`: a minifloat whose scale is an integer exponent bias per channel, which costs an adder and no multiplier.
 * - `ant<bits>`: for each tensor the best of int, flint, powers of two and a float (Guo et al. 2022); above 6 bits int.
 * - `mxfp8`, `mxfp6`: `mxfp8-e4m3` and `mxfp6-e2m3`.
 */
import { DyadicError, quoted } from '../error.ts'
import { flintFormat, powerOfTwoFormat } from '../formats/adaptive.ts'
import { bitsPerElement } from '../formats/blocks.ts'
import { type Format, formatNamed } from '../formats/catalogue.ts'
import { type ElementFormat, saturating } from '../formats/element-format.ts'
import { integerFormat } from '../formats/integers.ts'
import { minifloatFormat } from '../formats/minifloats.ts'

/** How the scale of an element format is found. */
export type ScaleRule =
  /** Real, by the study's range method. */
  | 'real'
  /** 2^(own bias − bias) with an integer bias. */
  | 'bias'
  /** Real, a multiple of 0.01 of the largest magnitude, as ANT searches. */
  | 'ant'
  /** 1: wide floats are used as they are. */
  | 'none'

/** A format as a study uses it. */
export interface StudyFormat {
  readonly name: string
  /** One, or those among which the squared error chooses for each tensor. */
  readonly signed: readonly Format[]
  /** For tensors without negative values; `signed` again where the format has no unsigned form. */
  readonly unsigned: readonly Format[]
  readonly scale: ScaleRule
  /** Bits of an element, with its share of a full block's scale. */
  readonly bits: number
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ['mxfp8', 'mxfp8-e4m3'],
  ['mxfp6', 'mxfp6-e2m3'],
])
/** Above these bits ANT takes integers only. */
const MOST_ADAPTIVE_BITS = 6
/** Exponent bits from which a float of more than 8 bits needs no scale. */
const WIDE_EXPONENT = 5

/** Names in messages and in the help, one or more of each family. */
export const exampleFormats =
  'int8, uint8, e4m3, e5m2, e3m4, e2m1, e4m3-flexible, flint4, pot4, ant4, power4-0.5, mxfp8, mxfp4, mxint8, nvfp4, int4-group32, bfloat16, float16, float32'

/** Formats that cannot hold the numbers of a network. Throws `usage`. */
function requireNumbers(name: string, format: Format): void {
  const element = format.kind === 'block' ? format.element : format
  if (element.grid.kind === 'exponent')
    throw new DyadicError(
      'usage',
      `format ${quoted(name)} has neither a zero nor a sign and is for scales; weights and activations need one such as e4m3 or int8`,
    )
}

/** Integers and ANT's grids lose their sign where there is nothing negative; hardware floats keep theirs. */
function unsignedForm(format: ElementFormat): ElementFormat {
  const { grid, bits, signed, zeroPoint } = format
  if (!signed || zeroPoint !== 0) return format
  if (grid.kind === 'integer' && grid.unit === 1) return integerFormat({ bits, signed: false })
  if (grid.kind === 'flint') return flintFormat(bits, false)
  if (grid.kind === 'power-of-two') return powerOfTwoFormat(bits, false)
  return format
}

function antFormat(name: string, bits: number): StudyFormat {
  if (bits < 3 || bits > 8)
    throw new DyadicError('usage', `format ${quoted(name)}: ANT is defined for 3 to 8 bits, not ${bits}`)
  const candidates = (signed: boolean): ElementFormat[] => {
    const integer = integerFormat({ bits, signed })
    if (bits > MOST_ADAPTIVE_BITS) return [integer]
    const magnitudeBits = bits - (signed ? 1 : 0)
    const exponentBits = Math.min(3, magnitudeBits)
    const float = minifloatFormat({
      ...{ exponentBits, mantissaBits: magnitudeBits - exponentBits, signed, convention: 'finite' as const },
    })
    return [integer, flintFormat(bits, signed), powerOfTwoFormat(bits, signed), float]
  }
  return { name, signed: candidates(true), unsigned: candidates(false), scale: 'ant', bits }
}

/**
 * The format of a name. Throws `usage` for an unknown one, listing the known ones, and for formats of scales.
 */
export function studyFormat(name: string): StudyFormat {
  const ant = /^ant(\d{1,2})$/.exec(name)
  if (ant !== null) return antFormat(name, Number(ant[1]))
  const [base, flexible] = name.endsWith('-flexible') ? [name.slice(0, -'-flexible'.length), true] : [name, false]
  const given = formatOf(base, name)
  requireNumbers(name, given)
  if (given.kind === 'block') {
    if (flexible) throw new DyadicError('usage', `format ${quoted(name)}: only minifloats have a flexible bias`)
    return { name, signed: [given], unsigned: [given], scale: 'none', bits: bitsPerElement(given) }
  }
  const format = saturating(given)
  const { grid, bits } = format
  if (flexible && (grid.kind !== 'minifloat' || format.nanCode !== undefined))
    throw new DyadicError(
      'usage',
      `format ${quoted(name)}: only minifloats in which every code is a number have a flexible bias, such as e4m3-flexible`,
    )
  const wide = grid.kind === 'minifloat' && bits > 8 && grid.exponentBits >= WIDE_EXPONENT
  const scale = flexible ? 'bias' : wide ? 'none' : 'real'
  return { name, signed: [format], unsigned: [unsignedForm(format)], scale, bits }
}

function formatOf(base: string, name: string): Format {
  const plain = base !== 'e8m0' && /^u?e\d{1,2}m\d{1,2}$/.test(base) ? `${base}-finite` : (SHORT.get(base) ?? base)
  try {
    return formatNamed(plain)
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    if (plain !== base) throw new DyadicError(error.code, error.message.replaceAll(`${base}-finite`, base))
    throw new DyadicError(
      'usage',
      `no format is called ${quoted(name)}; a study knows ${exampleFormats}, and every name of \`dyadic formats\``,
    )
  }
}

/** The name under which nothing is rounded. */
export const UNROUNDED = 'float32'

/** As {@link studyFormat}, and undefined for `float32`. */
export function roundingFormat(name: string): StudyFormat | undefined {
  return name === UNROUNDED ? undefined : studyFormat(name)
}
