/**
 * Equal constants lie once in a program: tables of functions, zero points, limits and epilogues repeat from layer to layer.
 * Only what no kernel writes may be shared.
 */

/** Constants as they lie in memory, little-endian. */
export type Placeable = Int8Array | Uint8Array | Int16Array | Int32Array

/** The bytes of a typed array, as a view. */
export function bytesOf({ buffer, byteOffset, byteLength }: Placeable): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

/**
 * A function from values to their address: that of equal bytes it was given before, otherwise what `place` gives. The values
 * must not change afterwards.
 */
export function shareEqual(place: (bytes: Uint8Array) => number): (values: Placeable) => number {
  const known = new Map<string, { readonly bytes: Uint8Array; readonly address: number }[]>()
  return (values) => {
    const bytes = bytesOf(values)
    const key = `${bytes.length} ${hashOf(bytes)}`
    const candidates = known.get(key) ?? []
    const equal = candidates.find((candidate) => candidate.bytes.every((byte, index) => byte === bytes[index]))
    if (equal !== undefined) return equal.address
    const address = place(bytes)
    known.set(key, [...candidates, { bytes, address }])
    return address
  }
}

/** FNV-1a over the bytes, 32 bits: chooses whom to compare with and decides nothing. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}
