/** Integer square roots against the golden values of I-ViT, their stated errors and each other. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shiftSquareRoot, shiftSquareRootExact, squareRoot, squareRootExact, tableSquareRoot } from './square-root.ts'

/** All s² − 1, s², s² + 1, s² + s, s² + 2s for s below 2^16. */
function* nearSquares(first: number): Generator<[value: number, root: number]> {
  for (let s = first; s < 2 ** 16; s++) {
    yield [s * s - 1, s - 1]
    yield [s * s, s]
    yield [s * s + 1, s]
    yield [s * s + s, s]
    yield [s * s + 2 * s, s]
  }
}

describe('the ten-step root', () => {
  it('has the golden values (A6)', () => {
    const golden = new Map([
      [1, 64],
      [100, 64],
      [1000, 68],
      [4096, 83],
      [10000, 108],
      [34595, 187],
      [65535, 256],
      [10 ** 6, 1000],
      [2 ** 32 - 1, 65536],
    ])
    for (const [value, root] of golden) {
      expect(shiftSquareRoot(value)).toBe(root)
      expect(shiftSquareRootExact(BigInt(value))).toBe(BigInt(root))
    }
  })

  it('is the floor or one more for every value from 34,596 on (A6): all below 2^22, every 7th to 2^24, all around squares', () => {
    let wrong = 0
    let root = 186
    for (let value = 34596; value < 2 ** 24; value += value < 2 ** 22 ? 1 : 7) {
      if ((root + 1) * (root + 1) <= value) root++
      const found = shiftSquareRoot(value)
      if (found !== root && found !== root + 1) wrong++
    }
    for (const [value, floor] of nearSquares(2048)) {
      const found = shiftSquareRoot(value)
      if (found !== floor && found !== floor + 1) wrong++
    }
    expect(wrong).toBe(0)
    expect(shiftSquareRoot(34595) - Math.floor(Math.sqrt(34595))).toBe(2)
  })
})

describe('the exact roots', () => {
  it('are the floor of the root for all values below 2^22 and around all squares', () => {
    let wrong = 0
    let root = 0
    for (let value = 0; value < 2 ** 22; value++) {
      if ((root + 1) * (root + 1) <= value) root++
      if (tableSquareRoot(value) !== root) wrong++
      if (value < 2 ** 20 && squareRoot(value) !== root) wrong++
    }
    for (const [value, floor] of nearSquares(1))
      if (tableSquareRoot(value) !== floor || squareRoot(value) !== floor) wrong++
    expect(wrong).toBe(0)
  })

  it('agree with BigInt on all safe integers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
        const root = squareRootExact(BigInt(value))
        expect(root * root <= BigInt(value) && (root + 1n) * (root + 1n) > BigInt(value)).toBe(true)
        expect(BigInt(squareRoot(value))).toBe(root)
        expect(BigInt(shiftSquareRoot(value))).toBe(shiftSquareRootExact(BigInt(value)))
        expect(BigInt(tableSquareRoot(value >>> 0))).toBe(squareRootExact(BigInt(value >>> 0)))
      }),
      { numRuns: 3000 },
    )
  })
})
