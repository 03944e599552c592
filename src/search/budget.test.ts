import { describe, expect, it } from 'vitest'
import { refusal } from '../lower/network.fixture.ts'
import { budgetLimits, describeCost, parseBudget } from './budget.ts'

describe('parseBudget', () => {
  it.each<[string, string, number, boolean]>([
    ['bytes<=60%', 'bytes', 0.6, true],
    ['bytes<=120KB', 'bytes', 120_000, false],
    ['bytes<=1.5MiB', 'bytes', 1_572_864, false],
    ['bytes<=4096', 'bytes', 4096, false],
    ['bops<=0.9G', 'bops', 900_000_000, false],
    ['bops<=12.5%', 'bops', 0.125, true],
    ['ms<=3.5', 'milliseconds', 3.5, false],
    ['ms<=3.5ms', 'milliseconds', 3.5, false],
    ['ms<=100%', 'milliseconds', 1, true],
  ])('%s', (text, axis, amount, relative) => {
    expect(parseBudget(text)).toEqual({ axis, amount, relative, text })
  })

  it.each([
    '',
    'bytes',
    'bytes<60%',
    'bytes>=60%',
    'bytes<=',
    'bytes<=-1',
    'bytes<=3ms',
    'bops<=3KB',
    'ms<=3G',
    'time<=3',
  ])('refuses %j', (text) => {
    const { code, message } = refusal(() => parseBudget(text))
    expect([code, message.includes('write bytes<=60%')]).toEqual(['usage', true])
  })
})

describe('budgetLimits', () => {
  const base = { bytes: 1001, bops: 640, milliseconds: 2 }

  it('takes shares of what the plan costs; counts have no fractions', () => {
    const budgets = ['bytes<=50%', 'bops<=100%', 'ms<=75%'].map(parseBudget)
    expect(budgetLimits(budgets, base)).toEqual({ bytes: 500, bops: 640, milliseconds: 1.5 })
    expect(budgetLimits([], base)).toEqual({})
  })

  it('refuses two on one cost', () => {
    const { code, message } = refusal(() => budgetLimits(['bytes<=50%', 'bytes<=1KB'].map(parseBudget), base))
    expect([code, message]).toEqual(['usage', '"bytes<=1KB" is a second budget on the same cost; give one for each'])
  })
})

it('costs have units', () => {
  expect([
    describeCost('bytes', 13_136),
    describeCost('bops', 9.04e8),
    describeCost('milliseconds', 0.07465981),
  ]).toEqual(['13.1 kB', '904 M', '0.0747 ms'])
})
