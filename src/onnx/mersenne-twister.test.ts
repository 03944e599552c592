import { describe, expect, it } from 'vitest'
import { mersenneTwister } from './mersenne-twister.ts'

describe('the Mersenne Twister', () => {
  // numpy.random.RandomState(seed).uniform(0, 1, 2000)[[0, 1, 700, 1999]], NumPy 2.4.6
  it.each([
    [0, [0.5488135039273248, 0.7151893663724195, 0.37321595574479416, 0.5017731306999452]],
    [1, [0.417022004702574, 0.7203244934421581, 0.13835468979294652, 0.9467282696079524]],
    [12345, [0.9296160928171479, 0.3163755545817859, 0.06523207021465494, 0.6289508062896265]],
    [4294967295, [0.0976320289940138, 0.9123828453026218, 0.6863296221322835, 0.17947030169391298]],
  ])('gives what RandomState(%i) gives', (seed, expected) => {
    const draw = mersenneTwister(seed)
    const drawn = Array.from({ length: 2000 }, draw)
    expect([0, 1, 700, 1999].map((index) => drawn[index])).toEqual(expected)
  })
})
