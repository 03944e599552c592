import { expect, it } from 'vitest'
import { simulatedTogether } from './part-noise.ts'

it('simulates parts alone, and neighbours together where there are many', () => {
  const numbers = (length: number) => Array.from({ length }, (_, i) => i)
  expect(simulatedTogether([])).toEqual([])
  expect(simulatedTogether(numbers(256))).toEqual(numbers(256).map((i) => [i]))
  for (const length of [257, 1000, 40_000]) {
    const groups = simulatedTogether(numbers(length))
    expect(groups.length).toBeLessThanOrEqual(256)
    expect(groups.flat()).toEqual(numbers(length))
  }
})
