import { expect, it } from 'vitest'
import { packNibbles } from './pack-nibbles.ts'

it('puts word 2j into the high halves of word j, and word 2j + 1 into the low ones', () => {
  const rows = Int8Array.from({ length: 96 }, (_, i) => ((i * 7 + (i >> 4)) % 16) - 8)
  const packed = packNibbles(rows)
  expect(packed.length).toBe(48)
  for (let word = 0; word < 12; word++)
    for (let byte = 0; byte < 4; byte++) {
      const code = packed[4 * word + byte] << 24
      expect([code >> 28, (code << 4) >> 28]).toEqual([rows[8 * word + byte], rows[8 * word + 4 + byte]])
    }
  expect(new Set(rows)).toEqual(new Set(Array.from({ length: 16 }, (_, i) => i - 8)))
})
