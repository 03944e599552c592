import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkSeal, SEAL_BYTES, seal } from './seal.ts'

const EMPTY = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

describe('seal', () => {
  it('appends a custom section with the SHA-256 of everything before it', () => {
    const sealed = seal(EMPTY)
    const hash = createHash('sha256').update(EMPTY).digest('hex')
    expect(sealed.length).toBe(EMPTY.length + SEAL_BYTES)
    const [section] = WebAssembly.Module.customSections(
      new WebAssembly.Module(sealed as Uint8Array<ArrayBuffer>),
      'dyadic.seal',
    )
    expect(Buffer.from(section).toString('hex')).toBe(hash)
    expect(checkSeal(sealed)).toEqual({ ok: true, sha256: hash })
  })

  it('is not put on twice', () => {
    expect(() => seal(seal(EMPTY))).toThrow('sealed already')
  })

  it('finds every changed, missing and appended byte', () => {
    const sealed = seal(EMPTY)
    for (let index = 0; index < sealed.length; index++)
      for (let bit = 0; bit < 8; bit++) {
        const damaged = sealed.slice()
        damaged[index] ^= 1 << bit
        expect(checkSeal(damaged).ok).toBe(false)
      }
    for (let length = 0; length < sealed.length; length++) expect(checkSeal(sealed.subarray(0, length)).ok).toBe(false)
    expect(checkSeal(Uint8Array.from([...sealed, 0])).ok).toBe(false)
    expect(checkSeal(Uint8Array.from([...sealed, ...sealed.subarray(-SEAL_BYTES)])).ok).toBe(false)
  })
})
