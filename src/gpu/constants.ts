/** The constants of a GPU program: one buffer of four-word elements; equal parts are stored once. */

export interface GpuConstants {
  /** Stores integers as words of their own width; the index of the first four-word element. */
  place(values: Int8Array | Uint8Array | Int16Array | Int32Array): number
  /** Everything placed so far. */
  bytes(): Uint8Array
}

const ELEMENT = 16

export function createConstants(): GpuConstants {
  const parts: { readonly bytes: Uint8Array; readonly at: number }[] = []
  const known = new Map<string, { readonly bytes: Uint8Array; readonly at: number }[]>()
  let end = 0
  return {
    place(values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      let sum = 0
      for (let i = 0; i < bytes.length; i++) sum = (Math.imul(sum, 31) + bytes[i]) | 0
      const key = `${bytes.length} ${sum}`
      const alike = known.get(key) ?? []
      const found = alike.find((part) => part.bytes.every((byte, i) => byte === bytes[i]))
      if (found !== undefined) return found.at / ELEMENT
      const part = { bytes: bytes.slice(), at: end }
      parts.push(part)
      known.set(key, [...alike, part])
      end += Math.ceil(bytes.length / ELEMENT) * ELEMENT
      return part.at / ELEMENT
    },
    bytes() {
      // Never empty: a buffer of no bytes cannot be bound.
      const all = new Uint8Array(Math.max(end, ELEMENT))
      for (const { bytes, at } of parts) all.set(bytes, at)
      return all
    },
  }
}
