/**
 * Minifloats: a sign, an exponent field and a mantissa field, with subnormals. The conventions differ in what the last codes
 * mean, so five formats share the name E4M3; the convention is part of every name here.
 */
import { type ElementFormat, wrongFormat } from './element-format.ts'

/** What the last codes mean. */
export type MinifloatConvention =
  /** The greatest exponent field holds ∞ (mantissa 0) and NaN; overflow gives ∞. IEEE 754, OCP E5M2. */
  | 'ieee'
  /** Only the last code is NaN, there is no ∞; overflow and ∞ give NaN. OCP E4M3 ("fn"). */
  | 'fn'
  /** NaN is the code of −0, there is no ∞ and no −0; overflow and ∞ give NaN. */
  | 'fnuz'
  /** Every code is a number; overflow and ∞ saturate, NaN is refused. OCP E3M2, E2M3, E2M1; papers on quantisation. */
  | 'finite'

/** What distinguishes minifloats. */
export interface MinifloatOptions {
  /** 1 … 8. */
  readonly exponentBits: number
  /** 0 … 14, and at most 19 bits in all. */
  readonly mantissaBits: number
  readonly convention: MinifloatConvention
  /** −240 … 240, so that products are doubles. Default 2^(exponentBits − 1) − 1, one more for `fnuz`. */
  readonly bias?: number
  /** Default true. */
  readonly signed?: boolean
  readonly name?: string
}

/** The bias that a convention has where none is given. */
export function defaultBias(exponentBits: number, convention: MinifloatConvention): number {
  return 2 ** (exponentBits - 1) - (convention === 'fnuz' ? 0 : 1)
}

function nameOf({ exponentBits, mantissaBits, convention, bias, signed = true }: MinifloatOptions): string {
  const plain = `${signed ? '' : 'u'}e${exponentBits}m${mantissaBits}`
  const shifted = bias === undefined || bias === defaultBias(exponentBits, convention) ? '' : `b${bias}`
  return `${plain}${shifted}${convention === 'fn' || convention === 'fnuz' ? convention : `-${convention}`}`
}

/**
 * A minifloat. With all-exponent formats (`mantissaBits` 0) ordinals are exponent fields: `nearest-even` takes the even one.
 * Throws `usage` for options that make no format.
 */
export function minifloatFormat(options: MinifloatOptions): ElementFormat {
  const { exponentBits, mantissaBits, convention, signed = true, name = nameOf(options) } = options
  const bias = options.bias ?? defaultBias(exponentBits, convention)
  if (!Number.isInteger(exponentBits) || exponentBits < 1 || exponentBits > 8)
    throw wrongFormat(name, `a minifloat has 1 to 8 exponent bits, not ${exponentBits}`)
  const bits = (signed ? 1 : 0) + exponentBits + mantissaBits
  if (!Number.isInteger(mantissaBits) || mantissaBits < 0 || mantissaBits > 14 || bits < 2 || bits > 19)
    throw wrongFormat(name, `a minifloat has 0 to 14 mantissa bits and 2 to 19 bits in all, not ${mantissaBits}`)
  if (!Number.isInteger(bias) || Math.abs(bias) > 240)
    throw wrongFormat(name, `the bias ${bias} is no integer from -240 to 240; give a real bias as a scale`)
  if (convention === 'ieee' && mantissaBits === 0)
    throw wrongFormat(name, 'without a mantissa there is no code for both ∞ and NaN')
  if (convention === 'fnuz' && !signed) throw wrongFormat(name, 'the NaN of fnuz is −0, so the format needs a sign')
  const magnitudes = 2 ** (exponentBits + mantissaBits)
  const ending = {
    ieee: {
      highest: magnitudes - 2 ** mantissaBits - 1,
      nanCode: magnitudes - 2 ** mantissaBits + 2 ** (mantissaBits - 1),
      infinityCode: magnitudes - 2 ** mantissaBits,
      onOverflow: 'infinity',
      onInfinity: 'infinity',
      onNaN: 'code',
    },
    fn: {
      highest: magnitudes - 2,
      nanCode: magnitudes - 1,
      infinityCode: undefined,
      onOverflow: 'nan',
      onInfinity: 'nan',
      onNaN: 'code',
    },
    fnuz: {
      highest: magnitudes - 1,
      nanCode: magnitudes,
      infinityCode: undefined,
      onOverflow: 'nan',
      onInfinity: 'nan',
      onNaN: 'code',
    },
    finite: {
      highest: magnitudes - 1,
      nanCode: undefined,
      infinityCode: undefined,
      onOverflow: 'saturate',
      onInfinity: 'saturate',
      onNaN: 'refuse',
    },
  } as const
  const { highest, ...rules } = ending[convention]
  return {
    kind: 'element',
    name,
    family: 'minifloat',
    bits,
    grid: { kind: 'minifloat', exponentBits, mantissaBits, bias },
    signed,
    coding: 'sign-magnitude',
    zeroPoint: 0,
    lowest: signed ? -highest : 0,
    highest,
    negativeZero: signed && convention !== 'fnuz',
    rounding: 'nearest-even',
    ...rules,
  }
}

/**
 * An exponent alone, without sign and zero: 2^(code − bias), the last code NaN. E8M0 is the scale of OCP blocks. Zero, negative
 * values, ∞ and overflow give NaN, positive values below the least one give the least. Ties go up, as in ml_dtypes: with no
 * mantissa bit stored, the significand of every value is the odd number 1. Throws `usage` for options that make no format.
 */
export function exponentFormat(name: string, bits: number, bias: number): ElementFormat {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8 || !Number.isInteger(bias) || Math.abs(bias) > 240)
    throw wrongFormat(name, `an exponent has 2 to 8 bits and a bias from -240 to 240, not ${bits} and ${bias}`)
  return {
    kind: 'element',
    name,
    family: 'minifloat',
    bits,
    grid: { kind: 'exponent', bias },
    signed: false,
    coding: 'sign-magnitude',
    zeroPoint: 0,
    lowest: 0,
    highest: 2 ** bits - 2,
    nanCode: 2 ** bits - 1,
    infinityCode: undefined,
    negativeZero: false,
    onOverflow: 'nan',
    onInfinity: 'nan',
    onNaN: 'code',
    rounding: 'nearest-away',
  }
}
