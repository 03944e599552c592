import { describe, expect, it } from 'vitest'
import { shareEqual } from './equal-constants.ts'

function counted() {
  const placed: number[] = []
  const share = shareEqual((bytes) => {
    placed.push(bytes.length)
    return 100 * placed.length
  })
  return { placed, share }
}

describe('shareEqual', () => {
  it('places equal bytes once, whatever array holds them', () => {
    const { placed, share } = counted()
    const first = share(Int16Array.of(1, 2, 3))
    expect(share(Int16Array.of(1, 2, 3))).toBe(first)
    expect(share(Uint8Array.of(1, 0, 2, 0, 3, 0))).toBe(first)
    expect(share(Int16Array.of(9, 1, 2, 3, 9).subarray(1, 4))).toBe(first)
    expect(placed).toEqual([6])
  })

  it('keeps different bytes apart, also of one length or with one beginning', () => {
    const { placed, share } = counted()
    const addresses = [[1, 2, 3], [1, 2, 4], [1, 2], [], [0], [0, 0]].map((values) => share(Int8Array.from(values)))
    expect(new Set(addresses).size).toBe(6)
    expect(placed).toEqual([3, 3, 2, 0, 1, 2])
  })

  it('compares the bytes and not only their hash', () => {
    const words = ['declinate', 'macallums'].map((word) => Uint8Array.from(word, (letter) => letter.charCodeAt(0)))
    const hashes = words.map((word) => word.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5))
    expect(hashes[0]).toBe(hashes[1])
    const { share } = counted()
    expect(share(words[0])).not.toBe(share(words[1]))
  })
})
