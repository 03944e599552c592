/** One axis of a plot: round ticks over a range, and pixels for values. Coordinates are rounded to hundredths of a pixel. */

export interface Axis {
  readonly ticks: readonly number[]
  /** Pixel of a value; values beyond the ends are moved to them. */
  at(value: number): number
}

/** Shortest text of a coordinate. */
export function pixel(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** An axis from `low` to `high` over the pixels `from` to `to`, with about `count` ticks at 1, 2 or 5 times a power of ten. */
export function axis(low: number, high: number, from: number, to: number, count = 5): Axis {
  const span = high > low ? high - low : Math.max(Math.abs(low), 1)
  const end = low + span
  const power = 10 ** Math.floor(Math.log10(span / count))
  const step = ([1, 2, 5].find((factor) => span / (factor * power) <= count) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(end / step + 1e-9)
  return {
    // Without the digits that floating point adds.
    ticks: Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12))),
    at: (value) => from + ((Math.min(end, Math.max(low, value)) - low) / span) * (to - from),
  }
}

/** The area of a plot, in pixels; the frame of the picture is around it. */
export interface Area {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** A number of an axis as text. */
export type Format = (value: number) => string

/** Ticks of the axis below an area, with lines through it, or with short marks where `lines` is false. */
export function ticksBelow(axis: Axis, { top, bottom }: Area, format: Format, lines = true): string[] {
  return axis.ticks.map((tick) => {
    const x = pixel(axis.at(tick))
    const line = lines
      ? `<line class="rule" x1="${x}" y1="${top}" x2="${x}" y2="${bottom}"/>`
      : `<line class="base" x1="${x}" y1="${bottom}" x2="${x}" y2="${bottom + 4}"/>`
    return `${line}<text class="tick" x="${x}" y="${bottom + 18}" text-anchor="middle">${format(tick)}</text>`
  })
}

/** Ticks of the axis to the left of an area, with lines through it. */
export function ticksLeft(axis: Axis, { left, right }: Area, format: Format): string[] {
  return axis.ticks.map((tick) => {
    const y = axis.at(tick)
    return (
      `<line class="rule" x1="${left}" y1="${pixel(y)}" x2="${right}" y2="${pixel(y)}"/>` +
      `<text class="tick" x="${left - 8}" y="${pixel(y + 4)}" text-anchor="end">${format(tick)}</text>`
    )
  })
}

/** Numbers at places of an axis without lines: the order in which things happen. */
export function countBelow(count: number, at: (index: number) => number, { bottom }: Area, most = 24): string[] {
  const every = Math.max(1, Math.ceil(count / most))
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every).map(
    (index) => `<text class="tick" x="${pixel(at(index))}" y="${bottom + 18}" text-anchor="middle">${index}</text>`,
  )
}

/** What the axes count, below and to the left; both as SVG text. */
export function axisTitles(
  { left, right, top, bottom }: Area,
  height: number,
  below: string,
  beside: string,
): string[] {
  return [
    `<text class="label" x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">${below}</text>`,
    `<text class="label" transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${beside}</text>`,
  ]
}

/** The picture around everything that was drawn; colours come from the page's style. `label` is for those who do not see it. */
export function drawing(kind: string, width: number, height: number, label: string, lines: readonly string[]): string {
  return `<svg class="plot ${kind}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">\n${lines.join('\n')}\n</svg>`
}
