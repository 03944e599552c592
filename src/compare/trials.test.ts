import { describe, expect, it } from 'vitest'
import type { TensorPlan } from '../quantize/plan.ts'
import { activationEdits, describeTrial, isCoarse, recommend, type Trial, trialKinds } from './trials.ts'

const ranges = { minmax: { low: -1, high: 3 }, mse: { low: -0.5, high: 2 } }
const kinds = (entry: TensorPlan): string[] => activationEdits(entry, ranges).map(({ kind }) => kind)
const trial = (kind: Trial['kind'], gainDb: number): Trial => ({ kind, sqnrDb: 30 + gainDb, gainDb })

describe('activationEdits', () => {
  it('offers what is not there already', () => {
    expect(kinds({ format: 'u8', scale: 1, zeroPoint: 0 })).toEqual(['range-minmax', 'range-mse', 'activations-16'])
    expect(kinds({ format: 'u8', scale: 4 / 255, zeroPoint: 64 })).toEqual(['range-mse', 'activations-16'])
    expect(kinds({ format: 'u4', scale: 1, zeroPoint: 0 })).toEqual(['activations-8', 'activations-16'])
    expect(kinds({ format: 's16', scale: 1, zeroPoint: 0 })).toEqual([])
    expect(kinds({ format: 's8', scale: 1, zeroPoint: 0, channelScales: [1, 2] })).toEqual(['activations-16'])
  })

  it('keeps a symmetric format symmetric', () => {
    const [{ tensor }] = activationEdits({ format: 's8', scale: 1, zeroPoint: 0 }, ranges)
    expect(tensor).toEqual({ format: 's8', scale: 6 / 254, zeroPoint: 0 })
  })
})

describe('isCoarse', () => {
  it('is about bits and about scales per channel', () => {
    expect(isCoarse({ format: 's8', scale: [1, 2], zeroPoint: [0] }, 2)).toBe(false)
    expect(isCoarse({ format: 's8', scale: [1], zeroPoint: [0] }, 2)).toBe(true)
    expect(isCoarse({ format: 's4', scale: [1, 2], zeroPoint: [0] }, 2)).toBe(true)
    expect(isCoarse({ format: 's8', scale: [1], zeroPoint: [0] }, 1)).toBe(false)
  })
})

describe('recommend', () => {
  it('takes the cheapest that takes away three quarters of what the best does', () => {
    expect(recommend([trial('range-mse', 8), trial('range-minmax', 9), trial('activations-16', 16)])?.kind).toBe(
      'range-minmax',
    )
    expect(recommend([trial('range-mse', 5), trial('activations-16', 16)])?.kind).toBe('activations-16')
    expect(recommend([trial('weights-8', 15), trial('bias-correction', 8), trial('activations-16', 16)])?.kind).toBe(
      'bias-correction',
    )
  })

  it('says nothing where nothing helps', () => {
    expect(recommend([])).toBeUndefined()
    expect(recommend([trial('range-mse', 0.4), trial('range-minmax', -3)])).toBeUndefined()
    expect(recommend([trial('activations-16', Infinity)])?.kind).toBe('activations-16')
  })
})

describe('describeTrial', () => {
  it('writes options that a shell reads as one word, in printable ASCII', () => {
    expect(describeTrial('stem', 'activations-16')).toEqual({ what: '16 bits', option: "--keep 'stem:s16'" })
    expect(describeTrial("a'$(b)\u001b\u202e", 'activations-8').option).toBe("--keep 'a'\\''$(b)\\u{1b}\\u{202e}:u8'")
    for (const kind of trialKinds) expect(describeTrial('x', kind).option).toMatch(/^--[a-z]/)
  })
})
