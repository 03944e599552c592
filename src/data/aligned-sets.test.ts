import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { alignSets } from './aligned-sets.ts'
import { arrayDataSet } from './array-data-set.ts'

const bytes = (name: string, ...values: number[]) =>
  arrayDataSet({ name, shape: [1], samples: values.map((value) => Uint8Array.of(value)), scale: [0.5], offset: [3] })

describe('arrayDataSet', () => {
  it('has its arrays as samples, with their type and map', async () => {
    const set = bytes('frames', 7, 8)
    expect(set).toMatchObject({ name: 'frames', length: 2, elementType: 'uint8', scale: [0.5], offset: [3] })
    expect(await set.read(1)).toEqual(Uint8Array.of(8))
    const reals = arrayDataSet({ name: 'reals', shape: [2, 1], samples: [Float32Array.of(1, 2)] })
    expect(reals).toMatchObject({ elementType: 'float32', scale: [1], offset: [0], shape: [2, 1] })
  })

  it.each([
    ['size', [Float32Array.of(1, 2), Float32Array.of(1)], /sample 1 of "mixed" has 1 numbers/],
    ['type', [Float32Array.of(1, 2), Int8Array.of(1, 2)], /2 numbers of int8.*2 of float32/],
  ])('refuses samples of another %s', (_, samples, message) => {
    expect(() => arrayDataSet({ name: 'mixed', shape: [2], samples })).toThrow(message)
  })
})

describe('alignSets', () => {
  it('puts sets of one length side by side', async () => {
    const both = alignSets(
      new Map([
        ['x', bytes('frames', 1, 2, 3)],
        ['y', bytes('sides', 4, 5, 6)],
      ]),
    )
    expect(both).toMatchObject({ name: 'frames, sides', length: 3 })
    expect(both.describe(2)).toBe('2')
    expect(await both.inputs.get('y')?.read(1)).toEqual(Uint8Array.of(5))
  })

  it('refuses other lengths and nothing at all', () => {
    const sets = new Map([
      ['x', bytes('frames', 1, 2)],
      ['y', bytes('sides', 3)],
    ])
    expect(() => alignSets(sets)).toThrow(/"x" have 2 samples, those of "y" 1/)
    expect(() => alignSets(new Map())).toThrow(DyadicError)
  })
})
