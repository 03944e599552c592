import { describe, expect, it } from 'vitest'
import { refusal } from '../lower/network.fixture.ts'
import { plotText } from './plot-text.ts'

const options = { xLabel: 'bytes', yLabel: 'dB', width: 11, height: 3 }

describe('plotText', () => {
  it('places points, the marked one above others', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 5, y: 10, marked: true },
      { x: 5, y: 10 },
      { x: 10, y: 20 },
    ]
    expect(plotText(points, options)).toBe(
      ['    dB', '20 |          o', '   |     X', ' 0 |o', '   +-----------', '    0        10', '    bytes', ''].join(
        '\n',
      ),
    )
  })

  it('takes one point, and equal ones', () => {
    expect(plotText([{ x: 3, y: 4 }], options)).toContain('4 |o\n')
    const marked = { x: 1, y: 1, marked: true }
    expect(plotText([marked, { x: 1, y: 1 }], { ...options, formatY: (y) => `${y}.0` })).toContain('1.0 |X\n')
  })

  it('refuses no points and what is not finite', () => {
    for (const points of [[], [{ x: Number.NaN, y: 1 }], [{ x: 1, y: Infinity }]])
      expect(refusal(() => plotText(points, options)).code).toBe('refused')
  })
})
