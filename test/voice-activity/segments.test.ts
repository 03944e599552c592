/** Segments and plots of examples/voice-activity, on probabilities written by hand. */
import { describe, expect, it } from 'vitest'
import { svgPlot, textPlot } from '../../examples/voice-activity/plot.mjs'
import { speechSegments } from '../../examples/voice-activity/segments.mjs'

/** Of a window: a power of two, so that times are exact. */
const SECONDS = 1 / 32
const stretch = (...parts: [number, number][]): number[] =>
  parts.flatMap(([count, value]) => new Array<number>(count).fill(value))

describe('speech', () => {
  it.each<[string, [number, number][], { from: number; to: number }[]]>([
    ['is nowhere in silence', [[40, 0.49]], []],
    [
      'begins at one half and ends below 0.35',
      [
        [4, 0],
        [1, 0.5],
        [7, 0.35],
        [8, 0.34],
      ],
      [{ from: 4, to: 12 }],
    ],
    [
      'is none below a quarter of a second',
      [
        [4, 0],
        [7, 0.9],
        [9, 0],
      ],
      [],
    ],
    [
      'goes on over a short pause',
      [
        [8, 1],
        [3, 0],
        [8, 1],
      ],
      [{ from: 0, to: 19 }],
    ],
    [
      'ends at a longer one',
      [
        [8, 1],
        [4, 0],
        [8, 1],
      ],
      [
        { from: 0, to: 8 },
        { from: 12, to: 20 },
      ],
    ],
    [
      'ends with the recording',
      [
        [8, 1],
        [2, 0],
      ],
      [{ from: 0, to: 8 }],
    ],
  ])('%s', (_, parts, windows) => {
    const expected = windows.map(({ from, to }) => ({ from: from * SECONDS, to: to * SECONDS }))
    expect(speechSegments(stretch(...parts), SECONDS)).toEqual(expected)
  })
})

describe('the plot', () => {
  it('has a column per stretch, as high as its mean', () => {
    const lines = textPlot(stretch([2, 0], [1, 0], [1, 1], [2, 1]), SECONDS, 3).split('\n')
    expect(lines[0]).toBe(' 1.0 │  █')
    expect(lines.slice(1, 4)).toEqual(['     │  █', '     │  █', '     │  █'])
    expect(lines.slice(4, 8)).toEqual([' 0.5 │ ██', '     │ ██', '     │ ██', '     │ ██'])
    expect(lines[8]).toBe(' 0.0 └───')
    expect(lines[9].endsWith('0.2 s')).toBe(true)
  })

  it('has a point for each window and a rectangle for each segment', () => {
    const probabilities = stretch([8, 1], [8, 0])
    const svg = svgPlot(probabilities, speechSegments(probabilities, SECONDS), SECONDS)
    expect(/points="([^"]*)"/.exec(svg)?.[1].split(' ').length).toBe(16)
    expect(svg).toContain('<rect x="40.0" y="10.0" width="480.0" height="200" fill="#dbeafe"/>')
    expect(svg).not.toContain('NaN')
  })
})
