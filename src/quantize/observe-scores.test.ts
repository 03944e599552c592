import { describe, expect, it } from 'vitest'
import { net } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { rowsAlong, scoreObserver } from './observe-scores.ts'

const rows = (length: number, count: number) => rowsAlong([count, length], 1)

describe('the range of scores', () => {
  it('ends 12 below the least of the largest scores of a row, and never below what was seen', () => {
    const deep = scoreObserver(rows(3, 2))
    deep.observe([5, -40, 0, 2, -3, 1])
    expect(deep.range()).toEqual({ low: -10, high: 5 })
    const flat = scoreObserver(rows(2, 2))
    flat.observe([1, 0, 3, 2])
    expect(flat.range()).toEqual({ low: 0, high: 3 })
  })

  it('is not stretched by masked scores, however they are masked', () => {
    for (const mask of [-Infinity, -1e9, -1e4]) {
      const observer = scoreObserver(rows(3, 3))
      observer.observe([4, mask, mask, 3, -2, mask, mask, mask, -Infinity])
      const { low, high } = observer.range()
      // A row that is masked altogether, but finite, is no mask.
      expect([low, high]).toEqual([mask === -Infinity ? 3 - 12 : mask - 12, 4])
    }
    const observer = scoreObserver(rows(3, 2))
    observer.observe([4, -1e9, -1e9, 3, -2, -1e9])
    expect(observer.range()).toEqual({ low: -9, high: 4 })
  })

  it('refuses NaN, +∞ and nothing at all', () => {
    const observer = scoreObserver(rows(2, 1))
    for (const wrong of [Number.NaN, Infinity]) expect(() => observer.observe([0, wrong])).toThrow(/overflows/)
    expect(() => scoreObserver(rows(2, 1)).range()).toThrow(/no calibration sample/)
    const masked = scoreObserver(rows(2, 1))
    masked.observe([-Infinity, -Infinity])
    expect(() => masked.range()).toThrow(/no calibration sample/)
  })
})

describe('rows along an axis', () => {
  it.each([
    [[2, 3, 4, 5], 3],
    [[2, 3, 4, 5], 1],
    [[2, 3, 4], 1],
    [[3, 4], 1],
    [[2, 1, 3, 2, 2], 4],
  ])('of shape %j, axis %i, are those that executors report', (shape, axis) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const graph = net({ x: shape }, [{ operator: 'Neg', inputs: ['x'] }])
    const input = Float32Array.from({ length: count }, (_, i) => i)
    const found: number[][] = []
    createFastExecutor(graph).run(new Map([['x', input]]), (_, values) => {
      const { starts, length, step } = rowsAlong(shape, axis)
      for (const start of starts) found.push(Array.from({ length }, (_, i) => -(values[start + i * step] as number)))
    })
    const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1)
    const expected = Array.from({ length: count / (shape[axis] as number) }, (_, row) => {
      const start = Math.floor(row / inner) * inner * (shape[axis] as number) + (row % inner)
      return Array.from({ length: shape[axis] as number }, (_, i) => start + i * inner)
    })
    expect(found.sort((a, b) => (a[0] as number) - (b[0] as number))).toEqual(
      expected.sort((a, b) => (a[0] as number) - (b[0] as number)),
    )
  })
})
