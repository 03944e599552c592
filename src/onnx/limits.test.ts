import { describe, expect, it } from 'vitest'
import { completeLimits, defaultLimits, type Limits, limitNames } from './limits.ts'
import { failureOf, parseChanged } from './small-model.fixture.ts'

describe('limits', () => {
  it('fill up what the caller gives', () => {
    expect(completeLimits()).toEqual(defaultLimits)
    expect(completeLimits({ rank: 3 })).toEqual({ ...defaultLimits, rank: 3 })
  })

  it.each<[Record<string, number>, string]>([
    [{ node: 1 }, 'there is no limit "node"; limits are fileBytes, nodes'],
    [JSON.parse('{"__proto__": 1}'), 'there is no limit "__proto__"'],
    [{ constructor: 1 } as unknown as Record<string, number>, 'there is no limit "constructor"'],
    [{ rank: 0 }, 'limit "rank" is 0'],
    [{ rank: 1.5 }, 'limit "rank" is 1.5'],
    [{ rank: Number.NaN }, 'limit "rank" is NaN'],
    [{ rank: Number.POSITIVE_INFINITY }, 'limit "rank" is Infinity'],
  ])('refuse %o', (given, message) => {
    const failure = failureOf(() => completeLimits(given as Partial<Limits>))
    expect(failure.code).toBe('usage')
    expect(failure.message).toContain(message)
  })

  it('are named by the errors that they raise', () => {
    const smallest: Partial<Limits> = {
      fileBytes: 100,
      nodes: 1,
      messages: 5,
      fields: 20,
      depth: 2,
      nameLength: 1,
      textBytes: 20,
      attributeValues: 1,
      rank: 3,
      elements: 15,
      totalElements: 30,
    }
    for (const [name, value] of Object.entries(smallest)) {
      const failure = failureOf(() => parseChanged(undefined, { limits: { [name]: value } }))
      expect([failure.code, failure.message]).toEqual(['limit', expect.stringContaining(`(limit "${name}")`)])
    }
    expect(limitNames.filter((name) => !Object.hasOwn(smallest, name))).toEqual([
      ...['externalBytes', 'inlinedNodes', 'inlinedBytes', 'drawnElements'],
    ])
  })
})
