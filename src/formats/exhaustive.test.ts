/** Every code, every breakpoint, every pair: the definition against exact rationals. */
import { describe, expect, it } from 'vitest'
import { add, compare, multiply, subtract } from './arithmetic.ts'
import { encodeArray, finiteValues } from './bulk.ts'
import { catalogue, elementFormatNamed, formatNamed } from './catalogue.ts'
import { decode, encode, largest, valuesOf } from './convert.ts'
import { type ElementFormat, type Rounding, roundings } from './element-format.ts'
import { exact, magnitudesOf, nearestIndex, SHIFT, toDouble } from './rational.fixture.ts'

const listed = catalogue.map(({ name }) => formatNamed(name)).filter((format) => format.kind === 'element')
/** All minifloats of 3 to 8 bits in which every code is a number, and some of every other pattern of names. */
const widths = [3, 4, 5, 6, 7, 8].flatMap((bits) =>
  Array.from({ length: bits - 1 }, (_, index) => `e${index + 1}m${bits - 2 - index}-finite`),
)
const patterns = [
  ...[
    'ue3m1-finite',
    'ue4m4-finite',
    'ue5m3fn',
    'e5m10b20-ieee',
    'e8m7fn',
    'e6m9fnuz',
    'e1m2-finite',
    'e4m3fn-saturating',
  ],
  ...['int6-zero--9', 'uint8-zero-255', 'int16-symmetric', 'uint16-zero-30000', 'int3-zero-3'],
  ...['flint3', 'flint5', 'flint15', 'uflint2', 'uflint14', 'pot3', 'pot9', 'upot8'],
  ...['power8-0.55', 'power3-0.3', 'upower8-0.7', 'power4-1', 'power8-0.55-nearest', 'power8-2'],
]
const formats = [...listed, ...[...widths, ...patterns].map((name) => elementFormatNamed(name))]

/** The one code that a symmetric integer format leaves out. */
const isUnused = (format: ElementFormat, value: number): boolean =>
  format.coding === 'integer' && format.signed && value < -largest(format) && -format.lowest === format.highest

describe('every code of every format up to 16 bits, and tf32', () => {
  it.each(formats.map((format) => [format.name, format] as const))('%s decodes and encodes back', (_, format) => {
    const values = valuesOf(format)
    const mistakes: string[] = []
    const seen = new Map<number, number>()
    let unused = 0
    let nans = 0
    for (const [code, value] of values.entries()) {
      if (Number.isNaN(value)) nans++
      else if (isUnused(format, value)) unused++
      else {
        if (seen.has(value + 0) && !Object.is(value, -0) && !Object.is(values[seen.get(value + 0) as number], -0))
          mistakes.push(`${code} repeats ${value}`)
        seen.set(value + 0, code)
        for (const rounding of format.bits > 16 ? [format.rounding] : roundings)
          if (encode(format, value, rounding, 0) !== code) mistakes.push(`${code} ${value} ${rounding}`)
      }
    }
    expect(mistakes.slice(0, 5)).toEqual([])
    expect(unused).toBe(format.coding === 'integer' && format.signed && -format.lowest === format.highest ? 1 : 0)
    if (format.nanCode === undefined) expect(nans).toBe(0)
    else {
      expect(values[format.nanCode]).toBeNaN()
      expect(encode(format, Number.NaN)).toBe(format.nanCode)
    }
    // A larger code is a larger magnitude, but for flint; integers order from their least code on.
    expect([...values].filter(Number.isFinite)).toContain(largest(format))
    if (format.grid.kind !== 'flint' && format.coding === 'sign-magnitude')
      for (let code = 1; code <= format.highest; code++)
        if (!(values[code]! > values[code - 1]!)) expect(`${code}`).toBe('ordered')
    if (format.coding === 'integer')
      for (let ordinal = format.lowest + 1; ordinal <= format.highest; ordinal++) {
        const at = (k: number): number => values[(k + format.zeroPoint + 2 ** format.bits) % 2 ** format.bits] as number
        if (!(at(ordinal) > at(ordinal - 1))) expect(`${ordinal}`).toBe('ordered')
      }
  })

  it('has the values of the exact formulas', () => {
    let checked = 0
    for (const format of formats) {
      if (format.grid.kind === 'power' && ![0.5, 1].includes(format.grid.exponent)) continue
      const { list } = magnitudesOf(format)
      for (const [ordinal, magnitude] of list.entries()) {
        const code = encode(format, toDouble(magnitude))
        // From the value of the rational, found again by its code: decode must be the rational, exactly.
        if (ordinal <= format.highest) {
          if (exact(decode(format, code)) !== magnitude) expect(`${format.name} ${ordinal}`).toBe('exact')
          checked++
        }
      }
    }
    expect(checked).toBeGreaterThan(400_000)
  })
})

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)
const GREATEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127
function float32Neighbour(value: number, step: number): number {
  single[0] = value
  bits[0]! += step
  return single[0]!
}

describe('breakpoints, from exact rationals', () => {
  const deterministic = roundings.filter((rounding) => rounding !== 'stochastic')
  it.each(['e4m3fn', 'e5m2', 'e2m1', 'bfloat16', 'float16', 'e4m3fnuz', 'e3m2', 'e2m3', 'e4m3fn-saturating'])(
    '%s: all, with both float32 neighbours, in every rounding',
    (name) => {
      const format = elementFormatNamed(name)
      const { list, beyond } = magnitudesOf(format)
      const ends = [...list, beyond]
      const codeAt = (ordinal: number, negative: boolean): number => {
        if (ordinal <= format.highest)
          return negative && (ordinal > 0 || format.negativeZero) ? ordinal + 2 ** (format.bits - 1) : ordinal
        const sign = negative ? 2 ** (format.bits - 1) : 0
        if (format.onOverflow === 'saturate') return format.highest + sign
        return format.onOverflow === 'nan' ? (format.nanCode as number) : (format.infinityCode as number) + sign
      }
      const points: number[] = []
      const expected = new Map<Rounding, number[]>(deterministic.map((rounding) => [rounding, []]))
      for (let ordinal = 0; ordinal <= format.highest; ordinal++) {
        const [low, high] = [ends[ordinal] as bigint, ends[ordinal + 1] as bigint]
        const middle = toDouble((low + high) / 2n)
        const inside: [number, number][] = [[middle, 0]]
        for (const [start, step] of [
          [toDouble(low), 1],
          [middle, -1],
          [middle, 1],
          [toDouble(high), -1],
        ] as const) {
          // The value after the greatest bfloat16 is no float32; below it comes the greatest float32.
          const point = start > GREATEST_FLOAT32 ? GREATEST_FLOAT32 : float32Neighbour(start, step)
          const value = exact(point)
          if (value <= low || value >= high || 2n * value === low + high) throw new Error(`${point} is not inside`)
          inside.push([point, 2n * value > low + high ? 1 : -1])
        }
        for (const [point, side] of inside)
          for (const negative of [false, true]) {
            points.push(negative ? -point : point)
            const away = {
              'nearest-even': side > 0 || (side === 0 && ordinal % 2 === 1),
              'nearest-away': side >= 0,
              'half-up': side > 0 || (side === 0 && !negative),
              'toward-zero': false,
              up: !negative,
              down: negative,
            }
            for (const rounding of deterministic)
              (expected.get(rounding) as number[]).push(codeAt(ordinal + (away[rounding] ? 1 : 0), negative))
          }
      }
      for (const rounding of deterministic) {
        const wanted = expected.get(rounding) as number[]
        const fast = encodeArray(format, Float64Array.from(points), { rounding })
        for (const [i, point] of points.entries()) {
          const code = encode(format, point, rounding)
          if (code !== wanted[i] || fast[i] !== code)
            expect(`${point} ${rounding}: ${code}, fast ${fast[i]}`).toBe(`${wanted[i]}`)
        }
      }
      expect(points).toHaveLength(2 * 5 * (format.highest + 1))
    },
  )

  it('stochastic rounding goes up for exactly the share of random words that the fraction is', () => {
    for (const name of ['e4m3fn', 'e5m2', 'e2m1', 'bfloat16', 'float16', 'int8', 'uint8-zero-128', 'flint8', 'pot4']) {
      const format = elementFormatNamed(name)
      const step = Math.max(1, Math.floor(format.highest / 500))
      const list = finiteValues(format).filter((value) => value >= 0)
      for (let ordinal = 0; ordinal < format.highest; ordinal += step) {
        const [low, high] = [list[ordinal] as number, list[ordinal + 1] as number]
        for (const eighths of [1, 3, 4, 7])
          for (const sign of format.signed || format.zeroPoint > 0 ? [1, -1] : [1]) {
            const point = sign * (low + ((high - low) * eighths) / 8)
            if (-point > -format.lowest && format.coding === 'integer') continue
            const threshold = eighths * 2 ** 29
            expect(Math.abs(decode(format, encode(format, point, 'stochastic', threshold - 1)))).toBe(high)
            expect(Math.abs(decode(format, encode(format, point, 'stochastic', threshold)))).toBe(low)
          }
      }
    }
  })
})

describe('all 65,536 pairs of every 8-bit format', () => {
  const eight = formats.filter(
    (format) => format.bits === 8 && (format.grid.kind !== 'power' || [0.5, 1].includes(format.grid.exponent)),
  )
  it.each(eight.map((format) => [format.name, format] as const))('%s: sum, product and order', (_, format) => {
    const { list, beyond } = magnitudesOf(format)
    const values = valuesOf(format)
    const rationals = [...values].map((value) => (Number.isFinite(value) ? exact(value) : undefined))
    const ties = format.rounding
    const above = list.slice(0, format.highest + 1)
    const below = list.slice(0, Math.max(0, -format.lowest) + 1)
    // The expected code of an exact result: by its magnitude in the list, its sign, and the overflow rule.
    const expectedCode = (result: bigint, negativeZero: boolean): number => {
      const negative = result < 0n || (result === 0n && negativeZero)
      if (format.grid.kind === 'exponent' && result <= 0n) return format.nanCode as number
      const size = result < 0n ? -result : result
      const limit = negative ? -format.lowest : format.highest
      const reachable = negative ? below : above
      let ordinal = nearestIndex(size, reachable, limit + 1 < list.length ? (list[limit + 1] as bigint) : beyond, ties)
      // Half up takes a negative tie toward zero.
      if (ties === 'half-up' && negative && ordinal > 0) {
        const high = ordinal < list.length ? (list[ordinal] as bigint) : beyond
        if (2n * size === (list[ordinal - 1] as bigint) + high) ordinal--
      }
      ordinal = Math.max(ordinal, 0)
      const sign = negative && format.signed ? 128 : 0
      if (ordinal > limit) {
        if (format.onOverflow === 'nan') return format.nanCode as number
        if (format.onOverflow === 'infinity') return (format.infinityCode as number) + sign
        ordinal = limit
      }
      return codeOf(ordinal, negative)
    }
    const codes = new Map(rationals.map((rational, code) => [Object.is(values[code], -0) ? undefined : rational, code]))
    const codeOf = (ordinal: number, negative: boolean): number => {
      const code = codes.get(negative ? -(list[ordinal] as bigint) : (list[ordinal] as bigint)) as number
      return ordinal === 0 && negative && format.negativeZero ? code + 128 : code
    }
    const mistakes: string[] = []
    for (let a = 0; a < 256; a++)
      for (let b = 0; b < 256; b++) {
        const [x, y] = [rationals[a], rationals[b]]
        const [p, q] = [values[a] as number, values[b] as number]
        const signsDiffer = (p < 0 || Object.is(p, -0)) !== (q < 0 || Object.is(q, -0))
        const bothNegative = Object.is(p, -0) && Object.is(q, -0)
        const [sum, product, order] =
          x === undefined || y === undefined
            ? format.nanCode !== undefined && (Number.isNaN(p) || Number.isNaN(q))
              ? [format.nanCode, format.nanCode, undefined]
              : [encode(format, p + q), encode(format, p * q), p < q ? -1 : p > q ? 1 : 0]
            : [expectedCode(x + y, bothNegative), expectedProduct(x, y, signsDiffer), x < y ? -1 : x > y ? 1 : 0]
        if (add(format, a, b) !== sum) mistakes.push(`${p} + ${q} is not ${sum}`)
        if (multiply(format, a, b) !== product) mistakes.push(`${p} × ${q} is not ${product}`)
        if (compare(format, a, b) !== order) mistakes.push(`${p} ? ${q}`)
      }
    function expectedProduct(x: bigint, y: bigint, negativeZero: boolean): number {
      const product = x * y
      if ((product >> SHIFT) << SHIFT !== product) throw new Error('the common denominator is too coarse')
      return expectedCode(product >> SHIFT, negativeZero)
    }
    expect(mistakes.slice(0, 5)).toEqual([])
  })

  it('rounds sums and differences once, in directed roundings too, where a double would round first', () => {
    const bfloat16 = elementFormatNamed('bfloat16')
    const code = (value: number): number => encode(bfloat16, value)
    const one = code(1)
    const tiny = code(2 ** -120)
    const next = code(1 + 2 ** -7)
    expect(add(bfloat16, one, tiny, 'up')).toBe(next)
    expect(add(bfloat16, one, tiny, 'down')).toBe(one)
    expect(subtract(bfloat16, one, tiny, 'down')).toBe(one - 1)
    expect(subtract(bfloat16, one, tiny, 'nearest-even')).toBe(one)
    expect(add(bfloat16, one, code(-1), 'down')).toBe(0x8000)
    expect(add(bfloat16, one, code(-1), 'up')).toBe(0)
    expect(subtract(bfloat16, one, one, 'down')).toBe(0x8000)
  })
})
