/** Arrays as NumPy `.npy` files, version 1.0: what `run --out` writes and `readNpy` reads. */

const TYPES = new Map<string, string>([
  ['Uint8Array', '|u1'],
  ['Int8Array', '|i1'],
  ['Int16Array', '<i2'],
  ['Int32Array', '<i4'],
  ['Float32Array', '<f4'],
])

/** The bytes of a `.npy` file, C order, little-endian as all hosts of WebAssembly are. */
export function writeNpy(
  data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array,
  shape: readonly number[],
): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${TYPES.get(data.constructor.name)}', 'fortran_order': False, 'shape': (${sizes}), }`
  // The data begins at a multiple of 64; the header ends in a newline.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10
  const bytes = new Uint8Array(10 + length + data.byteLength)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8])
  bytes.set(
    Array.from(`${header.padEnd(length - 1)}\n`, (character) => character.charCodeAt(0)),
    10,
  )
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length)
  return bytes
}
