import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FirstFit } from './first-fit.ts'

interface Thing {
  readonly from: number
  readonly to: number
  readonly size: number
}

const thing = fc
  .tuple(fc.nat(40), fc.nat(40), fc.nat(30))
  .map(([a, b, size]): Thing => ({ from: Math.min(a, b), to: Math.max(a, b), size }))

/** The definition: every place from 0 up is tried against everything that is placed. */
function leastFree(placed: readonly (Thing & { readonly place: number })[], { from, to, size }: Thing): number {
  const alive = placed.filter((other) => other.from <= to && from <= other.to && other.size > 0)
  for (let place = 0; ; place++)
    if (alive.every((other) => place + size <= other.place || other.place + other.size <= place)) return place
}

describe('FirstFit', () => {
  it('finds the least free place', () => {
    fc.assert(
      fc.property(fc.array(thing, { maxLength: 40 }), (things) => {
        const space = new FirstFit(41)
        const placed: (Thing & { place: number })[] = []
        for (const one of things) {
          const place = space.lowest(one.from, one.to, one.size)
          // A thing without size fits everywhere, also at the edge of another or between two that touch.
          expect(place).toBe(leastFree(placed, one))
          space.take(one.from, one.to, place, place + one.size)
          placed.push({ ...one, place })
        }
      }),
      { numRuns: 500, seed: 4 },
    )
  })

  it('works with one moment', () => {
    const space = new FirstFit(1)
    space.take(0, 0, 0, 5)
    expect(space.lowest(0, 0, 1)).toBe(5)
  })
})
