/**
 * The strokes of the glyph data set: for each class a list of points and the strokes that join them. Points lie on an
 * integer grid, x in −8..8 to the right and y in −12..12 downwards, with the glyph's middle at (0, 0). Strokes name
 * points by index, so that two strokes that meet still meet after their points are moved.
 */

export interface GlyphStroke {
  /**
   * `line`: straight from point to point. `curve`: a chain of quadratic Bézier curves; points at even places are on
   * the curve, those at odd places are its control points, so their number is odd.
   */
  readonly kind: 'line' | 'curve'
  /** Indices into the glyph's points, two or more. */
  readonly points: readonly number[]
}

export interface GlyphShape {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly strokes: readonly GlyphStroke[]
}

const line = (...points: number[]): GlyphStroke => ({ kind: 'line', points })
const curve = (...points: number[]): GlyphStroke => ({ kind: 'curve', points })

/** The classes in the order of their labels. */
export const GLYPH_SHAPES: readonly GlyphShape[] = [
  {
    name: '0',
    points: [
      [0, -12],
      [7, -12],
      [7, 0],
      [7, 12],
      [0, 12],
      [-7, 12],
      [-7, 0],
      [-7, -12],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6, 7, 0)],
  },
  {
    name: '1',
    points: [
      [-5, -6],
      [1, -12],
      [1, 12],
    ],
    strokes: [line(0, 1, 2)],
  },
  {
    name: '2',
    points: [
      [-6, -7],
      [-6, -12],
      [0, -12],
      [7, -12],
      [6, -5],
      [5, 0],
      [-7, 12],
      [7, 12],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6), line(6, 7)],
  },
  {
    name: '3',
    points: [
      [-6, -9],
      [-5, -12],
      [0, -12],
      [7, -12],
      [6, -6],
      [6, -1],
      [-1, -1],
      [7, -1],
      [7, 5],
      [7, 12],
      [0, 12],
      [-6, 12],
      [-7, 8],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)],
  },
  {
    name: '4',
    points: [
      [3, 12],
      [3, -12],
      [-8, 5],
      [8, 5],
    ],
    strokes: [line(0, 1, 2, 3)],
  },
  {
    name: '5',
    points: [
      [6, -12],
      [-5, -12],
      [-6, -1],
      [-3, -4],
      [0, -4],
      [8, -4],
      [7, 4],
      [7, 12],
      [-1, 12],
      [-5, 12],
      [-7, 9],
    ],
    strokes: [line(0, 1, 2), curve(2, 3, 4, 5, 6, 7, 8, 9, 10)],
  },
  {
    name: '6',
    points: [
      [5, -12],
      [-7, -8],
      [-7, 4],
      [-7, 12],
      [0, 12],
      [7, 12],
      [7, 5],
      [7, -2],
      [0, -2],
      [-6, -2],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2)],
  },
  {
    name: '7',
    points: [
      [-7, -12],
      [7, -12],
      [-2, 12],
    ],
    strokes: [line(0, 1, 2)],
  },
  {
    name: '8',
    points: [
      [0, -1],
      [-6, -1],
      [-6, -6],
      [-6, -12],
      [0, -12],
      [6, -12],
      [6, -6],
      [6, -1],
      [7, -1],
      [7, 6],
      [7, 12],
      [0, 12],
      [-7, 12],
      [-7, 6],
      [-7, -1],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 9, 10, 11, 12, 13, 14, 0)],
  },
  {
    name: '9',
    points: [
      [-5, 12],
      [7, 8],
      [7, -4],
      [7, -12],
      [0, -12],
      [-7, -12],
      [-7, -5],
      [-7, 2],
      [0, 2],
      [6, 2],
    ],
    strokes: [curve(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2)],
  },
  {
    name: 'A',
    points: [
      [-8, 12],
      [0, -12],
      [8, 12],
      [-5, 4],
      [5, 4],
    ],
    strokes: [line(0, 1, 2), line(3, 4)],
  },
  {
    name: 'E',
    points: [
      [7, -12],
      [-6, -12],
      [-6, 0],
      [-6, 12],
      [7, 12],
      [4, 0],
    ],
    strokes: [line(0, 1, 2, 3, 4), line(2, 5)],
  },
  {
    name: 'H',
    points: [
      [-7, -12],
      [-7, 0],
      [-7, 12],
      [7, -12],
      [7, 0],
      [7, 12],
    ],
    strokes: [line(0, 1, 2), line(3, 4, 5), line(1, 4)],
  },
  {
    name: 'K',
    points: [
      [-6, -12],
      [-6, 2],
      [-6, 12],
      [7, -12],
      [-1, -3],
      [7, 12],
    ],
    strokes: [line(0, 1, 2), line(3, 4, 1), line(4, 5)],
  },
  {
    name: 'R',
    points: [
      [-6, 12],
      [-6, 0],
      [-6, -12],
      [0, -12],
      [7, -12],
      [7, -6],
      [7, 0],
      [0, 0],
      [7, 12],
    ],
    strokes: [line(0, 1, 2, 3), curve(3, 4, 5, 6, 7), line(1, 7, 8)],
  },
  {
    name: 'X',
    points: [
      [-7, -12],
      [7, 12],
      [7, -12],
      [-7, 12],
    ],
    strokes: [line(0, 1), line(2, 3)],
  },
]
