/** The released integer programs of HAWQ-V3, solved again: every bit string and every printed digit. */
import { describe, expect, it } from 'vitest'
import {
  type Allocation,
  allocateBits,
  type CostAxis,
  evaluateAllocation,
  extremeAllocations,
} from './bit-allocation.ts'
import { type HawqSolution, hawqProblem, resnet18, resnet50, solutions } from './hawq-data.fixture.ts'
import { paretoFront } from './pareto-front.ts'

const problems = { 'ResNet-18': hawqProblem(resnet18), 'ResNet-50': hawqProblem(resnet50) }
const SIZE_UNIT = { 'ResNet-18': 2 ** 20, 'ResNet-50': 1e6 }
/** The authors count MAC/10^6/16 where 8-bit BOPs are MAC·64: a giga of 1.024·10^9. */
const BOPS_UNIT = 1.024e9

const inUnits = (network: HawqSolution['network'], { cost }: Allocation): [number, number, number] => [
  (cost.bytes as number) / SIZE_UNIT[network],
  (cost.bops as number) / BOPS_UNIT,
  cost.milliseconds as number,
]

function budgetAt(network: HawqSolution['network'], axis: CostAxis, level: number): number {
  const { fewest, most } = extremeAllocations(problems[network])
  const low = fewest.cost[axis] as number
  return low + level * ((most.cost[axis] as number) - low)
}

describe('the 18 problems', () => {
  it.each(solutions)('$network, $axis, $level', async ({ network, axis, level, bits, printed }) => {
    const problem = problems[network]
    const budget = budgetAt(network, axis, level)
    const found = await allocateBits({ ...problem, budgets: { [axis]: budget } })
    expect(found.bits.join('')).toBe(bits)
    const values = [found.sensitivity, ...inUnits(network, found)]
    expect(values.map((value, i) => value.toFixed((printed[i].split('.')[1] as string).length))).toEqual(printed)
    expect(found.cost[axis]).toBeLessThanOrEqual(budget)
    for (const [first, second] of problem.groups ?? []) expect(found.bits[first]).toBe(found.bits[second])
  })

  it('are 18', () => {
    expect(solutions).toHaveLength(18)
  })

  it('have totals as printed with 4 and with 8 bits everywhere', () => {
    const rows = (['ResNet-18', 'ResNet-50'] as const).map((network) => {
      const { fewest, most } = extremeAllocations(problems[network])
      const [small, large] = [inUnits(network, fewest), inUnits(network, most)]
      return [
        [fewest.sensitivity, most.sensitivity].map((value) => value.toFixed(6)),
        ...[0, 1, 2].map((axis) => [small[axis], large[axis]].map((value) => value.toFixed(axis === 1 ? 3 : 4))),
        (large[2] / small[2]).toFixed(3),
      ]
    })
    expect(rows).toEqual([
      [['1.307713', '0.004258'], ['5.3203', '10.6406'], ['26.493', '105.972'], ['3.1487', '5.3437'], '1.697'],
      [['0.906337', '0.003050'], ['11.7228', '23.4455'], ['58.405', '233.619'], ['7.6599', '11.8654'], '1.549'],
    ])
  })

  it('are better than the string that was released for ResNet-50, size, 0.25', async () => {
    const problem = problems['ResNet-50']
    const budget = budgetAt('ResNet-50', 'bytes', 0.25)
    expect((budget / 1e6).toFixed(4)).toBe('14.6534')
    const found = await allocateBits({ ...problem, budgets: { bytes: budget } })
    expect(found.sensitivity).toBeLessThan(0.08311)
  })
})

describe('the published table', () => {
  const STEM_MACS = 118_013_952
  const MACS = { 'ResNet-18': 1_814_073_344, 'ResNet-50': 3_857_973_248 }
  const CLASSIFIER_MACS = { 'ResNet-18': 512_000, 'ResNet-50': 2_048_000 }
  const STEM_WEIGHTS = 9408

  it('counts the float and the 8-bit network by MAC × bits × bits', () => {
    const bops = (network: keyof typeof MACS, bits: number) => Math.round((MACS[network] * bits * bits) / 1e9)
    expect([bops('ResNet-18', 32), bops('ResNet-50', 32)]).toEqual([1858, 3951])
    expect([bops('ResNet-18', 8), bops('ResNet-50', 8)]).toEqual([116, 247])
  })

  it('agrees within 3 % in BOPS and 3.2 % in size, with stem and classifier in 8 bits', async () => {
    const published: [HawqSolution['network'], CostAxis, number, size: number, bops: number][] = [
      ['ResNet-18', 'bytes', 0.75, 9.9, 103],
      ['ResNet-18', 'bytes', 0.5, 7.9, 98],
      ['ResNet-18', 'bytes', 0.25, 7.3, 95],
      ['ResNet-18', 'bops', 0.75, 8.7, 92],
      ['ResNet-18', 'bops', 0.5, 6.7, 72],
      ['ResNet-18', 'bops', 0.25, 6.1, 54],
      ['ResNet-18', 'milliseconds', 0.75, 8.7, 92],
      ['ResNet-18', 'milliseconds', 0.5, 7.2, 76],
      ['ResNet-18', 'milliseconds', 0.25, 6.1, 54],
      ['ResNet-18', 'bops', 0, 5.8, 34],
      ['ResNet-50', 'bytes', 0.75, 21.3, 226],
      ['ResNet-50', 'bytes', 0.5, 19.0, 197],
      ['ResNet-50', 'bytes', 0.25, 16.0, 168],
      ['ResNet-50', 'bops', 0.75, 22.0, 197],
      ['ResNet-50', 'bops', 0.5, 18.7, 154],
      ['ResNet-50', 'bops', 0.25, 16.7, 110],
      ['ResNet-50', 'milliseconds', 0.75, 22.3, 199],
      ['ResNet-50', 'milliseconds', 0.5, 18.5, 155],
      ['ResNet-50', 'milliseconds', 0.25, 16.5, 114],
      ['ResNet-50', 'bops', 0, 13.1, 67],
    ]
    for (const [network, axis, level, size, bops] of published) {
      const { cost } = await allocateBits({ ...problems[network], budgets: { [axis]: budgetAt(network, axis, level) } })
      const whole = ((cost.bops as number) + (STEM_MACS + CLASSIFIER_MACS[network]) * 64) / BOPS_UNIT
      const bytes = ((cost.bytes as number) + STEM_WEIGHTS + CLASSIFIER_MACS[network]) / 2 ** 20
      expect(Math.abs(whole / bops - 1), `${network} ${axis} ${level}: BOPS ${whole}`).toBeLessThan(0.03)
      // Sizes are printed with two or three digits, and what they include beside the weights is not said.
      expect(Math.abs(bytes / size - 1), `${network} ${axis} ${level}: ${bytes} MiB`).toBeLessThan(0.032)
    }
  })
})

describe('a Pareto front', () => {
  it.each(['ResNet-18', 'ResNet-50'] as const)('of %s never rises in Ω', async (network) => {
    for (const axis of ['bytes', 'bops', 'milliseconds'] as const) {
      const front = await paretoFront(problems[network], axis, 9)
      expect(front.map(({ level }) => level)).toEqual([0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])
      for (const [i, { budget, allocation }] of front.entries()) {
        expect(allocation.cost[axis]).toBeLessThanOrEqual(budget)
        expect(evaluateAllocation(problems[network], allocation.bits)).toEqual(allocation)
        if (i > 0) expect(allocation.sensitivity).toBeLessThanOrEqual(front[i - 1].allocation.sensitivity)
      }
      expect(front[0].allocation.bits.every((bits) => bits === 4)).toBe(true)
      expect(front[8].allocation.bits.every((bits) => bits === 8)).toBe(true)
    }
  })
})
