import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createDistanceField,
  markCurve,
  markLine,
  strokeCoverage,
  strokeReach,
  UNITS_PER_PIXEL,
} from './glyphs-raster.ts'

/** Floor of the squared distance of (x, y) to a segment, exact on BigInt. */
function squaredDistance(x: number, y: number, [x0, y0, x1, y1]: readonly number[]): number {
  const [px, py, dx, dy] = [x - x0!, y - y0!, x1! - x0!, y1! - y0!].map(BigInt) as [bigint, bigint, bigint, bigint]
  const along = px * dx + py * dy
  const length = dx * dx + dy * dy
  if (along <= 0n) return Number(px * px + py * py)
  if (along >= length) return Number((px - dx) ** 2n + (py - dy) ** 2n)
  return Number((px * dy - py * dx) ** 2n / length)
}

const coordinate = fc.integer({ min: -(2 ** 11), max: 2 ** 11 })

describe('markLine', () => {
  it('gives the exact squared distance within reach', () => {
    const segment = fc.tuple(coordinate, coordinate, coordinate, coordinate)
    fc.assert(
      fc.property(segment, fc.integer({ min: 8, max: 300 }), ([x0, y0, x1, y1], reach) => {
        const [width, height] = [19, 11]
        const field = createDistanceField(width, height)
        markLine(field, x0, y0, x1, y1, reach)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const x = column * UNITS_PER_PIXEL + UNITS_PER_PIXEL / 2
            const y = row * UNITS_PER_PIXEL + UNITS_PER_PIXEL / 2
            const expected = squaredDistance(x, y, [x0, y0, x1, y1])
            const found = field.squares[row * width + column]
            if (expected <= reach * reach) expect(found).toBe(expected)
            else expect([expected, 0x7fffffff]).toContain(found)
          }
      }),
    )
  })

  it('keeps the nearer of two segments', () => {
    const both = createDistanceField(8, 8)
    markLine(both, 0, 0, 128, 0, 200)
    markLine(both, 0, 128, 128, 128, 200)
    expect(both.squares[0]).toBe(64)
    expect(both.squares[7 * 8]).toBe(64)
    expect(both.squares[3 * 8]).toBe(56 * 56)
  })
})

describe('markCurve', () => {
  it('is the line when its three points are on one', () => {
    const curve = createDistanceField(10, 10)
    const line = createDistanceField(10, 10)
    markCurve(curve, 16, 16, 80, 80, 144, 144, 20)
    markLine(line, 16, 16, 144, 144, 20)
    expect(strokeCoverage(curve, 12)).toEqual(strokeCoverage(line, 12))
  })
})

describe('strokeCoverage', () => {
  it('is full inside, empty outside and falls in between', () => {
    const radius = 16
    const field = createDistanceField(9, 1)
    // Middles of the pixels lie 0, 1, 2 … pixels from the vertical line.
    markLine(field, 8, -400, 8, 400, strokeReach(radius))
    const coverage = [...strokeCoverage(field, radius)]
    expect(coverage.map((value) => value === 256)).toEqual([true, ...new Array<boolean>(8).fill(false)])
    expect(coverage[1]).toBe(Math.floor(((24 * 24 - 16 * 16) * 256) / (24 * 24 - 8 * 8)))
    expect(coverage.slice(2)).toEqual(new Array<number>(7).fill(0))
  })
})
