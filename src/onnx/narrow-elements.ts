/**
 * The stored forms of the narrow element types: floats of 16, 8 and 4 bits, integers of 4 and 2 bits. Codes of fewer than
 * 8 bits are packed from the low end of each byte on. Graphs hold the numbers that the codes stand for, exactly. Source:
 * onnx.proto, TensorProto.
 */
import { DyadicError } from '../error.ts'
import { bitsOf, elementOfCode } from '../graph/element-conversion.ts'
import { allocate, type ElementType } from '../graph/tensor.ts'

/** Elements of `type` from little-endian codes, as the bytes that a constant holds. */
export function unpackElements(bytes: Uint8Array, type: ElementType, count: number): Uint8Array {
  const bits = bitsOf(type)
  const codes = 2 ** bits
  // Every code stands for one number, which is worked out once.
  const numbers = new Float32Array(codes)
  const known = new Uint8Array(codes)
  const data = allocate(type, count)
  for (let i = 0; i < count; i++) {
    const at = Math.floor((i * bits) / 8)
    const code = bits === 16 ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] >> ((i * bits) % 8)) & (codes - 1)
    if (known[code] === 0) {
      numbers[code] = Number(elementOfCode(type, BigInt(code)))
      known[code] = 1
    }
    data[i] = numbers[code]
  }
  return new Uint8Array(data.buffer)
}

/** Bytes of codes that stand in `int32_data`: one 16- or 8-bit number per entry. Throws `refused` for others. */
export function listBytes(values: Int32Array, type: ElementType, what: string): Uint8Array {
  const size = bitsOf(type) === 16 ? 2 : 1
  const bytes = new Uint8Array(size * values.length)
  values.forEach((value, index) => {
    if (value < 0 || value >= 2 ** (8 * size))
      throw new DyadicError('refused', `${what} has ${value} at index ${index}, which is no code of ${type}`)
    for (let b = 0; b < size; b++) bytes[size * index + b] = value >> (8 * b)
  })
  return bytes
}
