import { describe, expect, it } from 'vitest'
import { byteSet, conv, lowered, refusal, worstStep } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { chooseFormats, type KeepRule } from './format-choice.ts'

const set = byteSet([2, 6, 6])
const graph = () =>
  net({ x: [1, 2, 6, 6] }, [
    conv('x', 4, 2, 3, 3),
    { operator: 'Relu', inputs: ['v0'] },
    conv('v1', 4, 4, 2, 2),
    { operator: 'Sigmoid', inputs: ['v2'] },
    conv('v3', 3, 4, 3, 3),
  ])

describe('keep', () => {
  it('gives first and last layer, and what patterns match, formats of their own; the last rule counts', async () => {
    const keep: KeepRule[] = [
      { pattern: '@first', format: 'w8' },
      { pattern: 'v[1-3]', format: 's8' },
      { pattern: 'v3', format: 'u4' },
      { pattern: '@last', format: 'w6' },
    ]
    const { plan } = await lowered(graph(), set, { weights: 's4', keep })
    expect(Object.entries(plan.weights).map(([name, { format }]) => [name, format])).toEqual([
      ['v1', 's8'],
      ['v2', 's4'],
      ['v4', 's6'],
    ])
    expect(Object.entries(plan.tensors).map(([name, { format }]) => [name, format])).toEqual([
      ['v1', 's8'],
      ['v2', 's8'],
      ['v3', 'u4'],
      ['v4', 's16'],
    ])
  })

  it('matches whole names only, and names what there is when nothing matches', async () => {
    const { compiled } = await lowered(graph(), set)
    const common = { weights: 's8', activations: 'u8' } as const
    const choose = (pattern: string, format: KeepRule['format']) => () =>
      chooseFormats(compiled, common, [{ pattern, format }])
    expect(refusal(choose('v', 'w4')).message).toMatch(
      /"v" of "v:w4" matches no layer with weights; there are "v1", "v2", "v4"/,
    )
    expect(refusal(choose('v3', 'w4')).code).toBe('refused')
    expect(refusal(choose('x', 's8')).message).toMatch(/matches no stored value/)
    expect(refusal(choose('(', 's8')).message).toMatch(/no regular expression/)
    expect(choose('v3', 'u4')().activations('v3')).toBe('u4')
  })
})

describe('four-bit activations', () => {
  it.each(['u4', 's4'] as const)('of format %s take 16 codes in the program and in the plan', async (activations) => {
    const { plan, integers, compiled } = await lowered(graph(), set, { activations })
    const wide = (await lowered(graph(), set)).plan
    // A value that only a Relu-like function reads is narrowed by the step of that function; this one is not.
    expect(plan.tensors.v1?.scale).toBeCloseTo(17 * (wide.tensors.v1?.scale as number), 9)
    const ranges = integers.tensors.filter(({ name }) => ['v1', 'v2', 'v3'].includes(name)).map(({ range }) => range)
    expect(ranges).toHaveLength(3)
    for (const { low, high } of ranges) {
      expect(low).toBeGreaterThanOrEqual(activations === 'u4' ? 0 : -8)
      expect(high).toBeLessThanOrEqual(activations === 'u4' ? 15 : 7)
    }
    // The module equals the scalar meaning, and both mean something.
    expect(Number.isFinite(worstStep(compiled, plan, integers))).toBe(true)
  })
})
