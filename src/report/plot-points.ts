/** Named points on two axes: cost to the right, accuracy upwards. Labels keep out of each other's way where they can. */
import { axis, pixel } from './axis.ts'
import { plainName } from './escape.ts'

export interface NamedPoint {
  readonly name: string
  readonly x: number
  readonly y: number
  /** No point is as cheap and as accurate. */
  readonly best: boolean
}

export interface PointPlot {
  readonly xLabel: string
  readonly yLabel: string
  readonly formatX: (value: number) => string
  readonly formatY: (value: number) => string
}

const WIDTH = 960
const HEIGHT = 420
const LEFT = 64
const RIGHT = 936
const TOP = 20
const BOTTOM = 372
const LABEL_HEIGHT = 13
/** Pixels of a character of a label, roughly. */
const CHARACTER = 6.2

/** Points that no other one beats in both directions: from the cheapest on, each better than all before. */
export function markBest(points: readonly Omit<NamedPoint, 'best'>[]): NamedPoint[] {
  return points.map((point) => ({
    ...point,
    best: !points.some(({ x, y }) => x <= point.x && y >= point.y && (x < point.x || y > point.y)),
  }))
}

/** Inline SVG; colours come from the page's style. Empty for no points. */
export function plotPoints(points: readonly NamedPoint[], { xLabel, yLabel, formatX, formatY }: PointPlot): string {
  if (points.length === 0) return ''
  const ends = (values: readonly number[]): [number, number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    const room = (high - low || Math.abs(high) || 1) * 0.06
    return [low - room, high + room]
  }
  const [lowX, highX] = ends(points.map(({ x }) => x))
  const [lowY, highY] = ends(points.map(({ y }) => y))
  const x = axis(Math.max(0, lowX), highX, LEFT, RIGHT, 8)
  const y = axis(lowY, highY, BOTTOM, TOP, 6)
  const lines = [
    ...x.ticks.map(
      (tick) =>
        `<line class="rule" x1="${pixel(x.at(tick))}" y1="${TOP}" x2="${pixel(x.at(tick))}" y2="${BOTTOM}"/>` +
        `<text class="tick" x="${pixel(x.at(tick))}" y="${BOTTOM + 18}" text-anchor="middle">${formatX(tick)}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<line class="rule" x1="${LEFT}" y1="${pixel(y.at(tick))}" x2="${RIGHT}" y2="${pixel(y.at(tick))}"/>` +
        `<text class="tick" x="${LEFT - 8}" y="${pixel(y.at(tick) + 4)}" text-anchor="end">${formatY(tick)}</text>`,
    ),
  ]
  const front = points.filter(({ best }) => best).toSorted((a, b) => a.x - b.x || a.y - b.y)
  lines.push(
    `<polyline class="line" points="${front.map((point) => `${pixel(x.at(point.x))},${pixel(y.at(point.y))}`).join(' ')}"/>`,
  )
  const taken: { left: number; right: number; top: number }[] = []
  for (const { name, best, ...point } of points) {
    const [cx, cy] = [x.at(point.x), y.at(point.y)]
    lines.push(
      `<circle class="${best ? 'dot' : 'local'}" cx="${pixel(cx)}" cy="${pixel(cy)}" r="${best ? 4.5 : 3.5}"><title>${plainName(name)}: ${formatX(point.x)}, ${formatY(point.y)}</title></circle>`,
    )
    const width = Math.min(name.length, 40) * CHARACTER
    const left = cx + 8 + width > RIGHT ? cx - 8 - width : cx + 8
    const place = [-6, 10, -20, 24, -34, 38]
      .map((shift) => ({ left, right: left + width, top: cy + shift }))
      .find((box) =>
        taken.every(
          (other) => box.left > other.right || box.right < other.left || Math.abs(box.top - other.top) >= LABEL_HEIGHT,
        ),
      )
    if (place === undefined) continue
    taken.push(place)
    lines.push(
      `<text class="label" x="${pixel(place.left)}" y="${pixel(place.top)}" font-size="11">${plainName(name.length > 40 ? `${name.slice(0, 39)}…` : name)}</text>`,
    )
  }
  return (
    `<svg class="plot losses" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${points.length} arithmetics: ${plainName(yLabel)} against ${plainName(xLabel)}">\n` +
    `${lines.join('\n')}\n` +
    `<text class="label" x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${plainName(xLabel)}</text>\n` +
    `<text class="label" transform="translate(14 ${(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${plainName(yLabel)}</text>\n</svg>`
  )
}
