/** Integer formats: two's complement or unsigned, symmetric or with a zero point, and fixed point by a unit. */
import { exponentOf, twoTo } from './binary64.ts'
import { type ElementFormat, wrongFormat } from './element-format.ts'

/** What distinguishes integer formats. */
export interface IntegerOptions {
  /** 2 … 16. */
  readonly bits: number
  /** Default true. */
  readonly signed?: boolean
  /** Leave the least code −2^(bits−1) out, so that the range is symmetric; signed formats only. */
  readonly symmetric?: boolean
  /** The code of the value 0; default 0. */
  readonly zeroPoint?: number
  /** Value of one step, a power of two; default 1. */
  readonly unit?: number
  readonly name?: string
}

/** `int8`, `uint4`, `int8-symmetric`, `uint8-zero-128`. */
function nameOf({ bits, signed = true, symmetric = false, zeroPoint = 0 }: IntegerOptions): string {
  return `${signed ? '' : 'u'}int${bits}${symmetric ? '-symmetric' : ''}${zeroPoint === 0 ? '' : `-zero-${zeroPoint}`}`
}

/**
 * The values unit × (code − zeroPoint). Everything beyond the ends saturates, NaN is refused, −0 becomes 0. The code that a
 * symmetric format leaves out is never given by `encode`; `decode` reads it as two's complement does. Throws `usage` for
 * options that make no format.
 */
export function integerFormat(options: IntegerOptions): ElementFormat {
  const { bits, signed = true, symmetric = false, zeroPoint = 0, unit = 1, name = nameOf(options) } = options
  if (!Number.isInteger(bits) || bits < 2 || bits > 16)
    throw wrongFormat(name, `an integer format has 2 to 16 bits, not ${bits}`)
  if (symmetric && (!signed || zeroPoint !== 0))
    throw wrongFormat(name, 'only a signed format without a zero point can be symmetric')
  const least = signed ? -(2 ** (bits - 1)) : 0
  const greatest = least + 2 ** bits - 1
  if (!Number.isInteger(zeroPoint) || zeroPoint < least || zeroPoint > greatest)
    throw wrongFormat(name, `the zero point ${zeroPoint} is no code: ${least}..${greatest} are`)
  if (!(unit > 0 && unit < Number.POSITIVE_INFINITY) || unit !== twoTo(exponentOf(unit)))
    throw wrongFormat(name, `the unit ${unit} is no power of two; give a real scale to the conversion`)
  return {
    kind: 'element',
    name,
    family: 'integer',
    bits,
    grid: { kind: 'integer', unit },
    signed,
    coding: 'integer',
    zeroPoint: zeroPoint + 0,
    lowest: (symmetric ? least + 1 : least) - zeroPoint,
    highest: greatest - zeroPoint,
    nanCode: undefined,
    infinityCode: undefined,
    negativeZero: false,
    onOverflow: 'saturate',
    onInfinity: 'saturate',
    onNaN: 'refuse',
    rounding: 'nearest-even',
  }
}
