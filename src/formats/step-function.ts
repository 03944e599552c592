/**
 * An element format and a rounding as a function in steps over all doubles, −0 below 0: where it changes, and to what. Found by
 * asking the definition (`convert.ts`), so that nothing is assumed about ties, ends and signs; used by bulk conversions.
 */
import { neighbour } from './binary64.ts'
import { decode, encode, encodeNaN } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { finiteValues } from './format-values.ts'

/** codes[i + 1] and its value stand from steps[i] on, codes[0] below all steps. */
export interface FormatSteps {
  readonly steps: Float64Array
  readonly codes: Uint32Array
  readonly values: Float64Array
  /** What NaN becomes; NaN as well for formats that refuse it. */
  readonly ofNaN: number
}

const known = new WeakMap<ElementFormat, Map<Rounding, FormatSteps>>()

/** The steps of a format, made once per rounding, which must not be `stochastic`. */
export function formatSteps(format: ElementFormat, rounding: Rounding): FormatSteps {
  const byRounding = known.get(format) ?? new Map<Rounding, FormatSteps>()
  known.set(format, byRounding)
  const steps = byRounding.get(rounding) ?? build(format, rounding)
  byRounding.set(rounding, steps)
  return steps
}

function build(format: ElementFormat, rounding: Rounding): FormatSteps {
  const codeOf = (value: number): number => encode(format, value, rounding)
  // Between two neighbours of this list the code changes once at most.
  const anchors = [
    ...[Number.NEGATIVE_INFINITY, -Number.MAX_VALUE],
    ...finiteValues(format).filter((value) => value < 0),
    ...[-Number.MIN_VALUE, -0, 0, Number.MIN_VALUE],
    ...finiteValues(format).filter((value) => value > 0),
    ...[Number.MAX_VALUE, Number.POSITIVE_INFINITY],
  ]
  const steps: number[] = []
  let [before, code] = [anchors[0]!, codeOf(anchors[0]!)]
  const codes = [code]
  for (const anchor of anchors.slice(1)) {
    const next = codeOf(anchor)
    if (next !== code) {
      steps.push(stepBetween(before, anchor, (value) => codeOf(value) === next))
      codes.push(next)
    }
    before = anchor
    code = next
  }
  return {
    steps: Float64Array.from(steps),
    codes: Uint32Array.from(codes),
    values: Float64Array.from(codes, (each) => decode(format, each)),
    ofNaN: format.onNaN === 'refuse' ? Number.NaN : decode(format, encodeNaN(format)),
  }
}

/** The least double in (low, high] for which `reached` holds; it holds for `high` and not for `low`, and changes once. */
function stepBetween(low: number, high: number, reached: (value: number) => boolean): number {
  // Steps lie at or beside the middle, with few exceptions.
  const middle = low / 2 + high / 2
  if (Number.isFinite(middle) && middle !== 0 && low < middle && middle < high) {
    const below = neighbour(middle, middle > 0 ? -1 : 1)
    const above = neighbour(middle, middle > 0 ? 1 : -1)
    if (reached(middle)) {
      if (!reached(below)) return middle
    } else if (reached(above)) return above
  }
  let [first, last] = [orderOf(low), orderOf(high)]
  while (last - first > 1n) {
    const between = (first + last) >> 1n
    if (reached(doubleAt(between))) last = between
    else first = between
  }
  return doubleAt(last)
}

const real = new Float64Array(1)
const pattern = new BigInt64Array(real.buffer)

/** Number of a double in increasing order; −0 is −1, 0 is 0. */
function orderOf(value: number): bigint {
  real[0] = value
  return pattern[0]! >= 0n ? pattern[0]! : -1n - (pattern[0]! & 0x7fffffffffffffffn)
}

function doubleAt(order: bigint): number {
  pattern[0] = order >= 0n ? order : -0x8000000000000000n + (-1n - order)
  return real[0]!
}
