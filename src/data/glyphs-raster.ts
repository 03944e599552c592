/**
 * Draws strokes of constant thickness into a coverage picture with exact integers only, so that every host gets the
 * same bytes. Positions are in 1/16 pixel with (0, 0) at the upper left corner of the picture. A stroke is the set of
 * points within a radius of its centre line; its soft edge is linear in the squared distance, which needs no root.
 */

/** Parts of a pixel: positions, distances and radii are counted in these. */
export const UNITS_PER_PIXEL = 16

/** Straight pieces per quadratic Bézier curve, a power of two so that the division below is a shift. */
const PIECES_LOG2 = 3

/** Half the width of a stroke's soft edge: half a pixel on either side of the radius. */
const HALF_EDGE = UNITS_PER_PIXEL / 2

/** Larger than every squared distance that can count as inside a stroke. */
const FAR = 0x7fffffff

/** For each pixel the squared distance of its middle to the nearest centre line, in (1/16 pixel)². */
export interface DistanceField {
  readonly width: number
  readonly height: number
  readonly squares: Int32Array
}

export function createDistanceField(width: number, height: number): DistanceField {
  return { width, height, squares: new Int32Array(width * height).fill(FAR) }
}

/**
 * Lowers the field to the squared distances, rounded down, from the segment (x0, y0)–(x1, y1): for every pixel whose
 * middle is at most `reach` away, and possibly for some further ones. Coordinates are integers in −2^11..2^11 and the
 * field is at most 128 pixels wide and high: then `across` below is less than 2^26, its square less than 2^52, and the
 * floor of the quotient is exact.
 */
export function markLine(field: DistanceField, x0: number, y0: number, x1: number, y1: number, reach: number): void {
  const { width, height, squares } = field
  const dx = x1 - x0
  const dy = y1 - y0
  const length = dx * dx + dy * dy
  const left = Math.max(0, (Math.min(x0, x1) - reach) >> 4)
  const right = Math.min(width - 1, (Math.max(x0, x1) + reach) >> 4)
  const top = Math.max(0, (Math.min(y0, y1) - reach) >> 4)
  const bottom = Math.min(height - 1, (Math.max(y0, y1) + reach) >> 4)
  for (let row = top; row <= bottom; row++) {
    const y = row * UNITS_PER_PIXEL + UNITS_PER_PIXEL / 2 - y0
    for (let column = left; column <= right; column++) {
      const x = column * UNITS_PER_PIXEL + UNITS_PER_PIXEL / 2 - x0
      const along = x * dx + y * dy
      let square: number
      if (along <= 0) square = x * x + y * y
      else if (along >= length) square = (x - dx) * (x - dx) + (y - dy) * (y - dy)
      else {
        const across = x * dy - y * dx
        square = Math.floor((across * across) / length)
      }
      const at = row * width + column
      if (square < squares[at]!) squares[at] = square
    }
  }
}

/** {@link markLine} along the quadratic Bézier curve from (x0, y0) to (x2, y2) with control point (x1, y1). */
export function markCurve(
  field: DistanceField,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  reach: number,
): void {
  const pieces = 1 << PIECES_LOG2
  const half = 1 << (2 * PIECES_LOG2 - 1)
  let fromX = x0
  let fromY = y0
  for (let piece = 1; piece <= pieces; piece++) {
    const rest = pieces - piece
    const a = rest * rest
    const b = 2 * rest * piece
    const c = piece * piece
    const toX = (a * x0 + b * x1 + c * x2 + half) >> (2 * PIECES_LOG2)
    const toY = (a * y0 + b * y1 + c * y2 + half) >> (2 * PIECES_LOG2)
    markLine(field, fromX, fromY, toX, toY, reach)
    fromX = toX
    fromY = toY
  }
}

/** How far from a centre line a stroke of this radius still colours pixels. */
export function strokeReach(radius: number): number {
  return radius + HALF_EDGE
}

/**
 * Coverage 0..256 of each pixel by strokes of the given radius (at least half a pixel), whose lines were marked with
 * `strokeReach(radius)`: 256 inside radius − ½ pixel, 0 outside radius + ½ pixel.
 */
export function strokeCoverage(field: DistanceField, radius: number): Int32Array {
  const outer = (radius + HALF_EDGE) * (radius + HALF_EDGE)
  const inner = (radius - HALF_EDGE) * (radius - HALF_EDGE)
  return field.squares.map((square) => {
    if (square <= inner) return 256
    if (square >= outer) return 0
    return Math.floor(((outer - square) * 256) / (outer - inner))
  })
}
