/** Formats as text for people: the bits of a code, the values, where they lie. Deterministic, ASCII and a few block characters. */

import { exponentOf } from './binary64.ts'
import { type BlockFormat, bitsPerElement } from './blocks.ts'
import { finiteValues, valueTable } from './bulk.ts'
import type { ElementFormat } from './element-format.ts'

/** Figures of a format's finite values. */
export interface FormatFacts {
  readonly codes: number
  readonly distinct: number
  readonly lowest: number
  readonly highest: number
  /** The least value above 0. */
  readonly leastPositive: number
  /** Least value above 0 with a full mantissa; only minifloats with subnormals have one. */
  readonly leastNormal: number | undefined
  /** Distance of neighbours: the least and the greatest. */
  readonly finestStep: number
  readonly coarsestStep: number
  /** Distance from 1 to the next value above; undefined where 1 is no value. */
  readonly stepAtOne: number | undefined
}

/** Computes the figures from all codes. */
export function formatFacts(format: ElementFormat): FormatFacts {
  const values = finiteValues(format)
  let [finestStep, coarsestStep] = [Number.POSITIVE_INFINITY, 0]
  for (let i = 1; i < values.length; i++) {
    const step = values[i]! - values[i - 1]!
    finestStep = Math.min(finestStep, step)
    coarsestStep = Math.max(coarsestStep, step)
  }
  const one = values.indexOf(1)
  const next = one >= 0 ? values[one + 1] : undefined
  const { grid } = format
  return {
    codes: 2 ** format.bits,
    distinct: values.length,
    lowest: values[0]!,
    highest: values.at(-1)!,
    leastPositive: values.find((value) => value > 0)!,
    leastNormal: grid.kind === 'minifloat' ? 2 ** (1 - grid.bias) : undefined,
    finestStep,
    coarsestStep,
    stepAtOne: next === undefined ? undefined : next - 1,
  }
}

/** One letter per bit, the most significant first: s sign, e exponent, m mantissa, i integer, f flint, p power. */
export function bitLetters({ bits, signed, coding, grid }: ElementFormat): string {
  const sign = signed && coding === 'sign-magnitude' ? 's' : ''
  if (grid.kind === 'minifloat') return `${sign}${'e'.repeat(grid.exponentBits)}${'m'.repeat(grid.mantissaBits)}`
  const letter = { integer: 'i', exponent: 'e', 'power-of-two': 'e', flint: 'f', power: 'p' }[grid.kind]
  return `${sign}${letter.repeat(bits - sign.length)}`
}

/** The bits of a code with their numbers above, two lines. */
export function bitPicture(format: ElementFormat): string {
  const letters = [...bitLetters(format)]
  const cell = (text: string | number): string => String(text).padStart(2)
  const numbers = letters.map((_, i) => cell(letters.length - 1 - i)).join(' ')
  return `${numbers}\n${letters.map(cell).join(' ')}`
}

/** How elements and scales of a block lie beside each other. */
export function blockPicture(format: BlockFormat): string {
  const { element, size, scaling } = format
  const scale =
    scaling.kind === 'float32'
      ? 'float32'
      : scaling.kind === 'fixed-point'
        ? 'an exponent'
        : `${scaling.scale.name} [${bitLetters(scaling.scale)}]`
  const count = size === 'tensor' ? 'all' : String(size)
  const second = scaling.kind === 'two-level' ? ', and a float32 for the tensor' : ''
  return (
    `scale: ${scale}${second}\n${count} × ${element.name} [${bitLetters(element)}]\n` +
    `${Number(bitsPerElement(format).toPrecision(6))} bits per element`
  )
}

/** A number in at most six significant digits. */
export function shortNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(Number(value.toPrecision(6)))
  return text.replace('-', '').length <= 11 ? text : value.toExponential(4)
}

/** All values by code, eight in a line, for formats of at most 8 bits. */
export function valueLines(format: ElementFormat): string {
  const least = finiteValues(format)[0]!
  const cells = [...valueTable(format)].map((value) =>
    Number.isNaN(value) ? 'NaN' : Number.isFinite(value) && value < least ? 'unused' : shortNumber(value),
  )
  const perLine = Math.min(8, cells.length)
  const widths = Array.from({ length: perLine }, (_, column) =>
    Math.max(...cells.filter((_, i) => i % perLine === column).map((text) => text.length)),
  )
  const digits = Math.ceil(format.bits / 4)
  const lines: string[] = []
  for (let start = 0; start < cells.length; start += perLine) {
    const line = cells.slice(start, start + perLine).map((text, column) => text.padStart(widths[column]!))
    lines.push(`${start.toString(16).padStart(digits, '0')}: ${line.join('  ')}`)
  }
  return lines.join('\n')
}

const WIDTH = 64
/** Darker for more values in a column. */
const SHADES = ' ·░▒▓█'

/**
 * Where the values lie: one line from the lowest to the highest value, darker where they are dense, and, for grids whose steps
 * vary, the number of positive values per octave as bars, octaves joined until there are at most 20.
 */
export function gridPlot(format: ElementFormat): string {
  const values = finiteValues(format)
  const [low, high] = [values[0]!, values.at(-1)!]
  const columns = new Array<number>(WIDTH).fill(0)
  for (const value of values) columns[Math.min(WIDTH - 1, Math.floor(((value - low) / (high - low)) * WIDTH))]!++
  const most = Math.max(...columns)
  const shade = (count: number): string =>
    count === 0 ? ' ' : SHADES[Math.max(1, Math.ceil((Math.log1p(count) / Math.log1p(most)) * (SHADES.length - 1)))]!
  const [left, right] = [shortNumber(low), shortNumber(high)]
  const line = `|${columns.map(shade).join('')}|\n${left}${' '.repeat(Math.max(1, WIDTH + 2 - left.length - right.length))}${right}`
  return format.grid.kind === 'integer' ? line : `${line}\n${octaveBars(values)}`
}

function octaveBars(values: readonly number[]): string {
  const positive = values.filter((value) => value > 0)
  const [first, last] = [exponentOf(positive[0]!), exponentOf(positive.at(-1)!)]
  const joined = Math.ceil((last - first + 1) / 20)
  const counts = new Array<number>(Math.floor((last - first) / joined) + 1).fill(0)
  for (const value of positive) counts[Math.floor((exponentOf(value) - first) / joined)]!++
  const most = Math.max(...counts)
  const width = String(most).length
  const labels = counts.map((_, i) => `from 2^${first + i * joined}`)
  const labelWidth = Math.max(...labels.map((label) => label.length))
  return counts
    .map((count, i) => {
      const bar = '█'.repeat(Math.ceil((count / most) * 40))
      return `${labels[i]!.padEnd(labelWidth)}  ${String(count).padStart(width)}  ${bar}`.trimEnd()
    })
    .join('\n')
}
