/** SQNR by layer: what each value loses by itself, and what has accumulated there, in the order of computation. */
import type { ValueLoss } from '../compare/comparison.ts'
import { axis, axisTitles, countBelow, drawing, pixel, ticksLeft } from './axis.ts'
import { plainName } from './escape.ts'
import { decibelText } from './quantities.ts'

const WIDTH = 960
const HEIGHT = 340
const AREA = { left: 56, right: 944, top: 20, bottom: 292 }
/** Values whose rank in the list is written beside their point. */
const MARKED = 5
/** Share of the worst one's added noise that is worth a mark. */
const LEAST_MARKED = 0.05

/** Inline SVG; colours come from the page's style. `values` are worst first. */
export function plotLosses(values: readonly ValueLoss[]): string {
  const ordered = values.toSorted((a, b) => a.position - b.position)
  const finite = values
    .flatMap(({ accumulated, local }) => [accumulated.sqnrDb, local?.sqnrDb ?? Infinity])
    .filter(Number.isFinite)
  const low = Math.min(0, ...finite.map((value) => Math.floor(value / 10) * 10))
  const high = Math.max(10, ...finite.map((value) => Math.ceil(value / 10) * 10))
  const { left, right, bottom } = AREA
  const y = axis(low, high, bottom, AREA.top, 8)
  const last = Math.max(1, ordered.length - 1)
  const place = (index: number): number => left + 16 + (index / last) * (right - left - 32)
  const x = (index: number): string => pixel(place(index))
  const at = (value: number): string => pixel(y.at(value))
  const lines = [
    ...ticksLeft(y, AREA, (tick) => String(tick).replace('-', '−')),
    ...countBelow(ordered.length, place, AREA),
  ]

  const path = ordered.map(({ accumulated }, index) => `${x(index)},${at(accumulated.sqnrDb)}`).join(' ')
  lines.push(
    `<polygon class="area" points="${x(0)},${bottom} ${path} ${x(ordered.length - 1)},${bottom}"/>`,
    `<polyline class="accumulated line" points="${path}"/>`,
  )
  for (const [index, { name, operator, accumulated, local }] of ordered.entries()) {
    const title = (what: string, value: number): string =>
      `<title>${index}: ${plainName(name)} (${plainName(operator)}), ${what} ${decibelText(value)}</title>`
    if (local)
      lines.push(
        `<circle class="local" cx="${x(index)}" cy="${at(local.sqnrDb)}" r="3.5">${title('alone', local.sqnrDb)}</circle>`,
      )
    lines.push(
      `<circle class="accumulated dot" cx="${x(index)}" cy="${at(accumulated.sqnrDb)}" r="3">${title('accumulated', accumulated.sqnrDb)}</circle>`,
    )
  }
  for (const [rank, { position, accumulated, addedNoise }] of values.slice(0, MARKED).entries())
    if (addedNoise > 0 && addedNoise >= LEAST_MARKED * values[0].addedNoise)
      lines.push(
        `<circle class="mark" cx="${x(position)}" cy="${at(accumulated.sqnrDb)}" r="7"/>`,
        `<text class="rank" x="${x(position)}" y="${pixel(y.at(accumulated.sqnrDb) + 22)}" text-anchor="middle">${rank + 1}</text>`,
      )
  const worst = Math.min(...values.map(({ accumulated }) => accumulated.sqnrDb))
  lines.push(...axisTitles(AREA, HEIGHT, 'value, in the order of computation', 'SQNR in dB'))
  const label = `SQNR of ${values.length} values in the order of computation; the lowest accumulated one is ${decibelText(worst)}`
  return drawing('wide', WIDTH, HEIGHT, label, lines)
}
