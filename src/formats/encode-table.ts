/**
 * Encoding by one look-up, for formats of at most 8 bits and roundings without randomness. The upper 16 bits of a float32 choose
 * an entry: the code below a step, the code from the step on, and the step in the lower 16 bits. A table is only given when each
 * of the 65,536 ranges holds at most one change of code and every change lies where rounding to odd cannot cross it; otherwise
 * the caller stays with the definition. Both are checked while it is made, by asking the definition.
 */
import { neighbour } from './binary64.ts'
import { encode } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'

const tables = new WeakMap<ElementFormat, Map<Rounding, Uint32Array | undefined>>()
const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** 65,536 entries code below | code above << 8 | step << 16; undefined when the format cannot have them. NaN is not in it. */
export function encodeTable(format: ElementFormat, rounding: Rounding): Uint32Array | undefined {
  const known = tables.get(format) ?? new Map<Rounding, Uint32Array | undefined>()
  tables.set(format, known)
  if (!known.has(rounding))
    known.set(rounding, format.bits > 8 || rounding === 'stochastic' ? undefined : build(format, rounding))
  return known.get(rounding)
}

function floatOf(pattern: number): number {
  bits[0] = pattern
  return float[0]!
}

function build(format: ElementFormat, rounding: Rounding): Uint32Array | undefined {
  const table = new Uint32Array(65536)
  const codeOf = (pattern: number): number => encode(format, floatOf(pattern), rounding)
  for (const sign of [0, 0x80000000]) {
    let before = codeOf(sign)
    for (let upper = 0; upper <= 0x7f80; upper++) {
      const start = (sign | (upper << 16)) >>> 0
      // The patterns above that of infinity are NaN.
      const end = upper === 0x7f80 ? start : start + 0xffff
      const first = codeOf(start)
      const last = codeOf(end)
      if (first !== before && !keepsOdd(format, rounding, start, before, first)) return undefined
      let step = 0
      if (first !== last) {
        step = findStep(codeOf, start, end, first, last) - start
        if (step < 0 || !keepsOdd(format, rounding, start + step, first, last)) return undefined
      }
      table[(start >>> 16) & 0xffff] = (first === last ? last : first) | (last << 8) | (step << 16)
      before = last
    }
  }
  return table
}

/** The first pattern with code `last`; −1 when there is a third code between. */
function findStep(
  codeOf: (pattern: number) => number,
  start: number,
  end: number,
  first: number,
  last: number,
): number {
  let low = start
  let high = end
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    const code = codeOf(middle)
    if (code === first) low = middle
    else if (code === last) high = middle
    else return -1
  }
  return high
}

/**
 * Whether all doubles between pattern − 1 and pattern go with the odd one of the two, as rounding to odd sends them. By
 * monotony it is enough to ask for the double next to the even one.
 */
function keepsOdd(format: ElementFormat, rounding: Rounding, pattern: number, below: number, above: number): boolean {
  const low = floatOf(pattern - 1)
  const high = floatOf(pattern)
  if (pattern % 2 === 0)
    return Number.isFinite(high)
      ? encode(format, neighbour(high, -1), rounding) === below
      : encode(format, Math.sign(low) * Number.MAX_VALUE, rounding) === below
  const next = low === 0 ? (Object.is(low, -0) ? -Number.MIN_VALUE : Number.MIN_VALUE) : neighbour(low, 1)
  return encode(format, next, rounding) === above
}
