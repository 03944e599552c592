import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { type AllocationProblem, allocateBits, type CostAxis, costAxes, evaluateAllocation } from './bit-allocation.ts'
import type { ChoiceSolver } from './choice-solver.ts'
import { allocateExhaustively } from './exhaustive-allocation.fixture.ts'
import { paretoFront } from './pareto-front.ts'

/** Layers of 2 to 16 bits whose costs rise and whose Ω falls with the bits, as far as they do in practice. */
const problems: fc.Arbitrary<AllocationProblem> = fc
  .record({
    layers: fc.array(
      fc.record({
        weights: fc.integer({ min: 1, max: 100_000 }),
        macs: fc.integer({ min: 1, max: 1_000_000 }),
        speed: fc.double({ min: 0.01, max: 10, noNaN: true }),
        trace: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 10, noNaN: true })),
        bits: fc.subarray([2, 4, 8, 16], { minLength: 1 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    pair: fc.tuple(fc.nat(5), fc.nat(5)),
    budgets: fc.uniqueArray(fc.tuple(fc.constantFrom(...costAxes), fc.double({ min: 0, max: 1, noNaN: true })), {
      selector: ([axis]) => axis,
      maxLength: 3,
    }),
  })
  .map(({ layers, pair, budgets }) => {
    const problem: AllocationProblem = {
      layers: layers.map(({ weights, macs, speed, trace, bits }, i) => ({
        name: `layer ${i}`,
        options: bits.map((width) => ({
          bits: width,
          cost: {
            bytes: Math.ceil((weights * width) / 8),
            bops: macs * width * width,
            milliseconds: width === 8 ? speed : speed * (1 + width / 20),
          },
          sensitivity: trace * 4 ** -width,
        })),
      })),
      groups: pair.every((index) => String(layers[index]?.bits) === String(layers[pair[0]]?.bits) && layers[index])
        ? [pair]
        : [],
    }
    const bound = (axis: CostAxis, share: number): number => {
      const sums = [Math.min, Math.max].map((pick) =>
        problem.layers.reduce((sum, { options }) => sum + pick(...options.map(({ cost }) => cost[axis] as number)), 0),
      )
      return sums[0] * 0.9 + share * (sums[1] - sums[0] * 0.9)
    }
    return { ...problem, budgets: Object.fromEntries(budgets.map(([axis, share]) => [axis, bound(axis, share)])) }
  })

describe('allocateBits', () => {
  it('finds what trying every allocation finds, and refuses where there is none', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const best = allocateExhaustively(problem)
        if (best === undefined) await expect(allocateBits(problem)).rejects.toThrow(/smallest achievable|contradict/)
        else {
          const found = await allocateBits(problem)
          expect(found.sensitivity).toBe(best.sensitivity)
          expect(found).toEqual(evaluateAllocation(problem, found.bits))
          for (const [axis, budget] of Object.entries(problem.budgets ?? {}))
            expect(found.cost[axis as CostAxis]).toBeLessThanOrEqual(budget)
        }
      }),
      { numRuns: 150, seed: 3 },
    )
  })

  it('is deterministic', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const answers = await Promise.allSettled([allocateBits(problem), allocateBits(problem)])
        expect(answers[0]).toEqual(answers[1])
      }),
      { numRuns: 20, seed: 4 },
    )
  })

  const layer = (name: string, ...options: [bits: number, bytes: number, sensitivity: number][]) => ({
    name,
    options: options.map(([bits, bytes, sensitivity]) => ({ bits, cost: { bytes }, sensitivity })),
  })
  const three = [
    layer('a', [2, 10, 9], [4, 20, 3], [8, 40, 1], [16, 80, 0]),
    layer('b', [2, 10, 8], [4, 20, 4], [8, 40, 2], [16, 80, 0]),
    layer('c', [4, 20, 5], [8, 40, 0]),
  ]

  it('chooses among 2, 4, 8 and 16 bits', async () => {
    expect(await allocateBits({ layers: three })).toEqual({ bits: [16, 16, 8], sensitivity: 0, cost: { bytes: 200 } })
    expect(await allocateBits({ layers: three, budgets: { bytes: 100 } })).toEqual({
      bits: [4, 8, 8],
      sensitivity: 5,
      cost: { bytes: 100 },
    })
    expect((await allocateBits({ layers: three, budgets: { bytes: 99 } })).sensitivity).toBe(
      allocateExhaustively({ layers: three, budgets: { bytes: 99 } })?.sensitivity,
    )
  })

  it('keeps layers of a group equal, through groups that share a layer', async () => {
    const found = await allocateBits({
      layers: three,
      groups: [
        [0, 1],
        [1, 2],
      ],
      budgets: { bytes: 119 },
    })
    expect(found.bits).toEqual([4, 4, 4])
  })

  it('takes the cheaper of equal sensitivities, and more bits where they are free', async () => {
    const dead = layer('dead', [4, 20, 0], [8, 40, 0])
    expect((await allocateBits({ layers: [dead], budgets: { bytes: 100 } })).bits).toEqual([4])
    expect((await allocateBits({ layers: [dead] })).bits).toEqual([8])
  })

  it('meets a budget to the last unit', async () => {
    const wide = Array.from({ length: 12 }, (_, i) =>
      layer(`l${i}`, [4, 5e11 + i, 1 + i / 1000], [8, 1e12 + 2 * i + 1, 0]),
    )
    const most = evaluateAllocation(
      { layers: wide },
      wide.map(() => 8),
    ).cost.bytes as number
    expect((await allocateBits({ layers: wide, budgets: { bytes: most } })).sensitivity).toBe(0)
    // One unit less is far below what the solver distinguishes.
    const found = await allocateBits({ layers: wide, budgets: { bytes: most - 1 } })
    expect([found.bits.filter((bits) => bits === 4).length, found.sensitivity]).toEqual([1, 1])
    expect(found.cost.bytes).toBeLessThan(most)
  })

  it('excludes what a solver with tolerances returns beyond the budget', async () => {
    const seen: number[] = []
    const careless: ChoiceSolver = ({ excluded }) => {
      seen.push(excluded.length)
      return excluded.length === 0 ? [0, 0] : [1, 0]
    }
    const layers = [layer('a', [8, 40, 0], [4, 20, 1]), layer('b', [8, 40, 0], [4, 20, 2])]
    const found = await allocateBits({ layers, budgets: { bytes: 60 } }, careless)
    expect([found.bits, seen]).toEqual([
      [4, 8],
      [0, 1],
    ])
  })

  it('names the smallest achievable value when a budget cannot be met', async () => {
    const error = await allocateBits({ layers: three, budgets: { bytes: 39 } }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(DyadicError)
    expect(error).toMatchObject({
      code: 'gate',
      message: 'no allocation of bits meets the budget: at most 39 bytes, but the smallest achievable is 40',
    })
    expect((await allocateBits({ layers: three, budgets: { bytes: 40 } })).bits).toEqual([2, 2, 4])
  })

  it('says what is achievable when budgets contradict each other', async () => {
    const options = (bits: number, bytes: number, milliseconds: number) => ({
      bits,
      cost: { bytes, milliseconds },
      sensitivity: 0,
    })
    const layers = ['a', 'b'].map((name) => ({ name, options: [options(4, 1, 10), options(8, 2, 5)] }))
    await expect(allocateBits({ layers, budgets: { bytes: 2, milliseconds: 10 } })).rejects.toMatchObject({
      code: 'gate',
      message: expect.stringMatching(
        /at most 2 bytes: under the others the smallest achievable is 4\n.*10 milliseconds: .* is 20/,
      ),
    })
  })

  it.each<[string, AllocationProblem, RegExp]>([
    ['no layers', { layers: [] }, /no layers/],
    ['no options', { layers: [layer('a')] }, /layer "a": it has no options/],
    ['equal options', { layers: [layer('a', [4, 1, 1], [4, 2, 0])] }, /two options have the same bits/],
    ['a NaN sensitivity', { layers: [layer('a', [4, 1, Number.NaN])] }, /sensitivity with 4 bits is NaN/],
    ['a negative cost', { layers: [layer('a', [4, -1, 1])] }, /bytes with 4 bits are -1/],
    ['a missing cost', { layers: [layer('a', [4, 1, 1])], budgets: { bops: 1 } }, /budget on bops, but no cost/],
    ['a NaN budget', { layers: [layer('a', [4, 1, 1])], budgets: { bytes: Number.NaN } }, /budget "bytes" is NaN/],
    ['a group outside', { layers: [layer('a', [4, 1, 1])], groups: [[0, 1]] }, /names layer 1/],
    [
      'a group without a common width',
      { layers: [layer('a', [4, 1, 1]), layer('b', [8, 1, 1])], groups: [[0, 1]] },
      /"a", "b" must have equal bits/,
    ],
  ])('refuses %s', async (_, problem, message) => {
    await expect(allocateBits(problem)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(message),
    })
  })
})

describe('paretoFront', () => {
  it('never rises in Ω with the budget, and every point is optimal', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ layers, groups }) => {
        const problem = { layers, groups }
        const front = await paretoFront(problem, 'bytes', 4)
        for (const [i, { budget, allocation }] of front.entries()) {
          expect(allocation.sensitivity).toBe(
            allocateExhaustively({ ...problem, budgets: { bytes: budget } })?.sensitivity,
          )
          if (i > 0) expect(allocation.sensitivity).toBeLessThanOrEqual(front[i - 1].allocation.sensitivity)
        }
      }),
      { numRuns: 25, seed: 5 },
    )
  })

  it('refuses levels outside 0..1 and an axis without costs', async () => {
    const layers = [{ name: 'a', options: [{ bits: 4, cost: { bytes: 1 }, sensitivity: 1 }] }]
    await expect(paretoFront({ layers }, 'bytes', [0.5, 1.5])).rejects.toMatchObject({ code: 'refused' })
    await expect(paretoFront({ layers }, 'bytes', 0)).rejects.toMatchObject({ code: 'refused' })
    await expect(paretoFront({ layers }, 'bops', 3)).rejects.toMatchObject({ code: 'refused' })
  })
})
