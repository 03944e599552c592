/**
 * Points and the line through them as one self-contained SVG: axes with ticks at round numbers, a title and a description for
 * screen readers, a tooltip per point. Deterministic text; nothing is loaded, nothing runs.
 */
import { DyadicError } from '../error.ts'

export interface PlotPoint {
  readonly x: number
  readonly y: number
  /** Shown beside the point. */
  readonly label?: string
  /** Shown when pointing at it. */
  readonly detail?: string
  /** Drawn larger and in another colour. */
  readonly marked?: boolean
}

export interface PlotOptions {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** Values at the ticks (default: the number). */
  readonly formatX?: (value: number) => string
  readonly formatY?: (value: number) => string
  /** Pixels (default 640 × 400). */
  readonly width?: number
  readonly height?: number
}

interface Scale {
  readonly ticks: readonly number[]
  /** Pixel of a value. */
  at(value: number): number
}

/** Pixels within which a label is not begun. */
const LABEL_ROOM = 64
const MARGIN = { top: 40, right: 24, bottom: 52, left: 84 }
const INK = '#1f2937'
const GRID = '#d1d5db'
const LINE = '#1d4ed8'
const MARK = '#c2410c'

/** The picture. Throws `refused` for no points, for numbers that are not finite and for a size too small for axes. */
export function plotFront(points: readonly PlotPoint[], options: PlotOptions): string {
  const { title, xLabel, yLabel, width = 640, height = 400, formatX = String, formatY = String } = options
  if (points.length === 0) throw new DyadicError('refused', 'a plot needs at least one point')
  if (!points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    throw new DyadicError('refused', 'a plot needs finite numbers')
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom]
  if (!(right > MARGIN.left && bottom > MARGIN.top))
    throw new DyadicError('refused', `a plot of ${width} × ${height} pixels has no room for its axes`)
  const x = scaleOf(
    points.map((point) => point.x),
    MARGIN.left,
    right,
  )
  const y = scaleOf(
    points.map((point) => point.y),
    bottom,
    MARGIN.top,
  )
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y)
  const lines: string[] = []
  for (const tick of x.ticks)
    lines.push(
      `<line x1="${pixel(x.at(tick))}" y1="${MARGIN.top}" x2="${pixel(x.at(tick))}" y2="${bottom}" stroke="${GRID}"/>`,
      `<text x="${pixel(x.at(tick))}" y="${bottom + 18}" text-anchor="middle">${escapeText(formatX(tick))}</text>`,
    )
  for (const tick of y.ticks)
    lines.push(
      `<line x1="${MARGIN.left}" y1="${pixel(y.at(tick))}" x2="${right}" y2="${pixel(y.at(tick))}" stroke="${GRID}"/>`,
      `<text x="${MARGIN.left - 8}" y="${pixel(y.at(tick) + 4)}" text-anchor="end">${escapeText(formatY(tick))}</text>`,
    )
  lines.push(
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}" fill="none" stroke="${INK}"/>`,
    `<text x="${pixel((MARGIN.left + right) / 2)}" y="${height - 12}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text transform="translate(18 ${pixel((MARGIN.top + bottom) / 2)}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text>`,
    `<text x="${MARGIN.left}" y="22" font-size="15" font-weight="bold">${escapeText(title)}</text>`,
    `<polyline points="${sorted.map((point) => `${pixel(x.at(point.x))},${pixel(y.at(point.y))}`).join(' ')}" fill="none" stroke="${LINE}" stroke-width="1.5"/>`,
  )
  for (const point of sorted) {
    const [cx, cy] = [x.at(point.x), y.at(point.y)]
    const detail = point.detail ?? `${formatX(point.x)}, ${formatY(point.y)}`
    lines.push(
      `<circle cx="${pixel(cx)}" cy="${pixel(cy)}" r="${point.marked ? 6 : 4}" fill="${point.marked ? MARK : LINE}"><title>${escapeText(detail)}</title></circle>`,
    )
    if (point.label !== undefined) {
      // Labels at the right edge stand to the left of their point.
      const flip = cx > right - LABEL_ROOM
      lines.push(
        `<text x="${pixel(flip ? cx - 8 : cx + 8)}" y="${pixel(cy - 8)}" text-anchor="${flip ? 'end' : 'start'}" font-size="11">${escapeText(point.label)}</text>`,
      )
    }
  }
  const [first, last] = [sorted[0], sorted[sorted.length - 1]]
  const description =
    `${points.length} point${points.length === 1 ? '' : 's'}: ${xLabel} from ${formatX(first.x)} to ${formatX(last.x)}, ` +
    `${yLabel} from ${formatY(first.y)} to ${formatY(last.y)}.`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="plot-title plot-description" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">\n` +
    `<title id="plot-title">${escapeText(title)}</title>\n<desc id="plot-description">${escapeText(description)}</desc>\n` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>\n${lines.join('\n')}\n</svg>\n`
  )
}

/** About five ticks at 1, 2 or 5 times a power of ten that enclose the values, mapped to the pixels from..to. */
function scaleOf(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const magnitude = Math.max(Math.abs(low), Math.abs(high))
  // Ticks keep twelve digits: values that differ by less share a tick.
  const spread = high === low ? magnitude : Math.max(high - low, magnitude * 1e-9)
  const span = spread > 1e-290 ? spread : 1
  const power = 10 ** Math.floor(Math.log10(span / 5))
  const step = ([1, 2, 5].find((factor) => span / (factor * power) <= 5) ?? 10) * power
  const first = Math.floor(low / step)
  const last = Math.max(first + 1, Math.ceil(high / step))
  // A multiple of the step, without the digits that floating point adds.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
  const [start, end] = [first * step, last * step]
  return { ticks, at: (value) => from + ((value - start) / (end - start)) * (to - from) }
}

const pixel = (value: number): string => String(Math.round(value * 100) / 100)

/** Text for XML: markup escaped, characters that XML cannot hold replaced. */
function escapeText(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
