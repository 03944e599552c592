/**
 * Budgets as people write them: `bytes<=60%` of what the 8-bit plan costs, `bytes<=120KB`, `bops<=0.9G`, `ms<=3.5`. Bytes are
 * those of packed weights and biases, BOPs are MACs × bits × bits, milliseconds are measured.
 */
import { describeQuantity } from '../cost/quantity.ts'
import { DyadicError, quoted } from '../error.ts'
import type { CostAxis } from './bit-allocation.ts'

export interface Budget {
  readonly axis: CostAxis
  /** The most, or a share of the 8-bit plan's cost. */
  readonly amount: number
  readonly relative: boolean
  /** As it was written. */
  readonly text: string
}

const AXES: ReadonlyMap<string, CostAxis> = new Map([
  ['bytes', 'bytes'],
  ['bops', 'bops'],
  ['ms', 'milliseconds'],
])

const DECIMAL = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 }
const UNITS: Readonly<Record<CostAxis, ReadonlyMap<string, number>>> = {
  bytes: new Map([
    ...Object.entries({ '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 }),
    ...Object.entries({ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }),
  ]),
  bops: new Map(Object.entries({ '': 1, ...DECIMAL })),
  milliseconds: new Map(Object.entries({ '': 1, ms: 1, s: 1e3 })),
}

/** A budget from its text. Throws `usage`. */
export function parseBudget(text: string): Budget {
  const [, name = '', digits = '', unit = ''] = /^(\w+)<=(\d+(?:\.\d+)?)\s*(%|[A-Za-z]*)$/.exec(text) ?? []
  const axis = AXES.get(name)
  const factor = unit === '%' ? 1 : axis && UNITS[axis].get(unit)
  if (axis === undefined || factor === undefined)
    throw new DyadicError(
      'usage',
      `${quoted(text)} is no budget; write bytes<=60%, bytes<=120KB, bops<=0.9G or ms<=3.5, where % is of the 8-bit plan`,
    )
  const relative = unit === '%'
  return { axis, amount: relative ? Number(digits) / 100 : Number(digits) * factor, relative, text }
}

/** The most on each axis, given what the 8-bit plan costs. Throws `usage` for two budgets on one axis. */
export function budgetLimits(
  budgets: readonly Budget[],
  base: Readonly<Partial<Record<CostAxis, number>>>,
): Partial<Record<CostAxis, number>> {
  const limits: Partial<Record<CostAxis, number>> = {}
  for (const { axis, amount, relative, text } of budgets) {
    if (limits[axis] !== undefined)
      throw new DyadicError('usage', `${quoted(text)} is a second budget on the same cost; give one for each`)
    const most = relative ? amount * (base[axis] as number) : amount
    limits[axis] = axis === 'milliseconds' ? most : Math.floor(most)
  }
  return limits
}

/** A cost with its unit, for people. */
export function describeCost(axis: CostAxis, value: number): string {
  if (axis === 'milliseconds') return `${Number(value.toPrecision(3))} ms`
  return describeQuantity(Math.round(value), axis === 'bytes' ? 'B' : '')
}
