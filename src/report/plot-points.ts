/** Named points on two axes: cost to the right, accuracy upwards. Labels keep out of each other's way where they can. */
import { axis, axisTitles, drawing, pixel, ticksBelow, ticksLeft } from './axis.ts'
import { plainName } from './escape.ts'

export interface NamedPoint {
  readonly name: string
  /** What is written beside it, if anything (default: the name). */
  readonly label?: string
  readonly x: number
  readonly y: number
  /** No point is as cheap and as accurate. */
  readonly best: boolean
}

export interface PointPlot {
  /** What the points are, for those who do not see them. */
  readonly what: string
  readonly xLabel: string
  readonly yLabel: string
  readonly formatX: (value: number) => string
  readonly formatY: (value: number) => string
}

const WIDTH = 960
const HEIGHT = 420
const AREA = { left: 64, right: 936, top: 20, bottom: 372 }
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
export function plotPoints(
  points: readonly NamedPoint[],
  { what, xLabel, yLabel, formatX, formatY }: PointPlot,
): string {
  if (points.length === 0) return ''
  const ends = (values: readonly number[]): [number, number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    const room = (high - low || Math.abs(high) || 1) * 0.06
    return [low - room, high + room]
  }
  const [lowX, highX] = ends(points.map(({ x }) => x))
  const [lowY, highY] = ends(points.map(({ y }) => y))
  const { left: from, right: to, top, bottom } = AREA
  const x = axis(Math.max(0, lowX), highX, from, to, 8)
  const y = axis(lowY, highY, bottom, top, 6)
  const lines = [...ticksBelow(x, AREA, formatX), ...ticksLeft(y, AREA, formatY)]
  const front = points.filter(({ best }) => best).toSorted((a, b) => a.x - b.x || a.y - b.y)
  lines.push(
    `<polyline class="line" points="${front.map((point) => `${pixel(x.at(point.x))},${pixel(y.at(point.y))}`).join(' ')}"/>`,
  )
  const taken: { left: number; right: number; top: number }[] = []
  for (const { name, label = name, best, ...point } of points) {
    const [cx, cy] = [x.at(point.x), y.at(point.y)]
    lines.push(
      `<circle class="${best ? 'dot' : 'local'}" cx="${pixel(cx)}" cy="${pixel(cy)}" r="${best ? 4.5 : 3.5}"><title>${plainName(name)}: ${formatX(point.x)}, ${formatY(point.y)}</title></circle>`,
    )
    if (label === '') continue
    const width = Math.min(label.length, 40) * CHARACTER
    const left = cx + 8 + width > to ? cx - 8 - width : cx + 8
    const place = [-6, 10, -20, 24, -34, 38]
      .map((shift) => ({ left, right: left + width, top: cy + shift }))
      .find(
        (box) =>
          box.top >= top + LABEL_HEIGHT / 2 &&
          taken.every(
            (other) =>
              box.left > other.right || box.right < other.left || Math.abs(box.top - other.top) >= LABEL_HEIGHT,
          ),
      )
    if (place === undefined) continue
    taken.push(place)
    lines.push(
      `<text class="label" x="${pixel(place.left)}" y="${pixel(place.top)}" font-size="11">${plainName(label.length > 40 ? `${label.slice(0, 39)}…` : label)}</text>`,
    )
  }
  lines.push(...axisTitles(AREA, HEIGHT, plainName(xLabel), plainName(yLabel)))
  const description = `${points.length} ${plainName(what)}: ${plainName(yLabel)} against ${plainName(xLabel)}`
  return drawing('wide', WIDTH, HEIGHT, description, lines)
}
