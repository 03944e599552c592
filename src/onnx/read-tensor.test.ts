import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { type Constant, readConstant } from '../graph/tensor.ts'
import { decodeModel } from './decode.ts'
import { defaultLimits } from './limits.ts'
import { readTensor } from './read-tensor.ts'
import type { MessageInput } from './schema.ts'
import { encodeModel } from './write-wire.ts'

function read(tensor: MessageInput<'TensorProto'>): Constant {
  const model = decodeModel(encodeModel({ graph: { initializer: [tensor] } }), defaultLimits)
  return readTensor(model.graph!.initializer[0], 'initializer "t"', defaultLimits)
}

function failure(tensor: MessageInput<'TensorProto'>): { code: string; message: string } {
  try {
    read(tensor)
  } catch (error) {
    if (error instanceof DyadicError) return { code: error.code, message: error.message }
    throw error
  }
  return expect.unreachable('the tensor was read')
}

describe('typed lists and raw data give the same constant', () => {
  const cases: [string, number, MessageInput<'TensorProto'>, ArrayBufferView][] = [
    ['float32', 1, { floatData: [1.5, -2, 0.1] }, Float32Array.of(1.5, -2, 0.1)],
    ['uint8', 2, { int32Data: [0, 128, 255] }, Uint8Array.of(0, 128, 255)],
    ['int8', 3, { int32Data: [-128, 0, 127] }, Int8Array.of(-128, 0, 127)],
    ['uint16', 4, { int32Data: [0, 1, 65535] }, Uint16Array.of(0, 1, 65535)],
    ['int16', 5, { int32Data: [-32768, 1, 32767] }, Int16Array.of(-32768, 1, 32767)],
    ['int32', 6, { int32Data: [-(2 ** 31), 1, 2 ** 31 - 1] }, Int32Array.of(-(2 ** 31), 1, 2 ** 31 - 1)],
    ['int64', 7, { int64Data: [-(2n ** 63n), 1n, 2n ** 63n - 1n] }, BigInt64Array.of(-(2n ** 63n), 1n, 2n ** 63n - 1n)],
    ['bool', 9, { int32Data: [1, 0, 1] }, Uint8Array.of(1, 0, 1)],
    ['float64', 11, { doubleData: [Math.PI, -0, 5e-324] }, Float64Array.of(Math.PI, -0, 5e-324)],
    ['uint32', 12, { uint64Data: [0n, 1n, 2n ** 32n - 1n] }, Uint32Array.of(0, 1, 2 ** 32 - 1)],
    ['uint64', 13, { uint64Data: [0n, 1n, 2n ** 64n - 1n] }, BigUint64Array.of(0n, 1n, 2n ** 64n - 1n)],
  ]
  it.each(cases)('%s', (type, dataType, typed, expected) => {
    const bytes = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength)
    const fromList = read({ dataType, dims: [3n], ...typed })
    const fromRaw = read({ dataType, dims: [3n], rawData: bytes })
    expect(fromList).toEqual({ type, shape: [3], bytes })
    expect(fromRaw).toEqual(fromList)
    expect(readConstant(fromRaw)).toEqual(expected)
  })

  it('reads scalars and empty lists', () => {
    expect(read({ dataType: 1, rawData: new Uint8Array(4) }).shape).toEqual([])
    expect(read({ dataType: 1, dims: [0n] })).toEqual({ type: 'float32', shape: [0], bytes: new Uint8Array(0) })
  })
})

describe('float16', () => {
  /** The value by the definition of binary16. */
  const halfValue = (half: number): number => {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    return sign * (exponent === 0 ? fraction / 1024 / 2 ** 14 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  }
  const finite = Array.from({ length: 65536 }, (_, half) => half).filter((half) => ((half >> 10) & 31) !== 31)

  it('becomes the numbers themselves, for every finite one, raw and typed', () => {
    const expected = Float32Array.from(finite, halfValue)
    finite.forEach((half, i) => {
      if (expected[i] !== halfValue(half)) expect.unreachable(`float16 ${half} is no float32`)
    })
    const dims = [BigInt(finite.length)]
    const raw = read({ dataType: 10, dims, rawData: new Uint8Array(Uint16Array.from(finite).buffer) })
    expect(raw.type).toBe('float16')
    expect(Buffer.compare(raw.bytes, new Uint8Array(expected.buffer))).toBe(0)
    expect(Buffer.compare(read({ dataType: 10, dims, int32Data: finite }).bytes, raw.bytes)).toBe(0)
  })

  it('is refused when it is not finite', () => {
    for (let half = 0; half < 65536; half++) {
      if (((half >> 10) & 31) !== 31 || (half % 97 !== 0 && (half & 1023) > 1)) continue
      expect(failure({ dataType: 10, dims: [2n], int32Data: [0, half] }).message).toContain('at index 1')
    }
  })
})

describe('refusals', () => {
  const float = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
  const double = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer)
  const cases: [string, MessageInput<'TensorProto'>, string, string][] = [
    ['NaN', { dataType: 1, dims: [3n], rawData: float(1, 2, NaN) }, 'refused', 'initializer "t" has NaN at index 2'],
    ['Inf', { dataType: 1, dims: [2n], floatData: [-Infinity, 1] }, 'refused', 'has -Infinity at index 0'],
    ['NaN in float64', { dataType: 11, dims: [2n], rawData: double(1, NaN) }, 'refused', 'has NaN at index 1'],
    [
      'too few raw bytes',
      { dataType: 1, dims: [2n, 3n], rawData: float(1) },
      'refused',
      'has 4 bytes; shape [2,3] with 4 bytes per element needs 24',
    ],
    ['too few elements', { dataType: 1, dims: [2n], floatData: [1] }, 'refused', 'has 1 elements; shape [2] needs 2'],
    ['no data', { dataType: 1, dims: [2n] }, 'refused', 'has 0 elements; shape [2] needs 2'],
    [
      'two kinds of data',
      { dataType: 1, dims: [1n], floatData: [1], rawData: float(1) },
      'refused',
      'and raw data as well',
    ],
    ['the wrong list', { dataType: 1, dims: [1n], int32Data: [1] }, 'refused', 'where float32 belongs into floatData'],
    [
      'int8 out of range',
      { dataType: 3, dims: [2n], int32Data: [1, 128] },
      'refused',
      'has 128 at index 1, which does not fit int8',
    ],
    ['uint32 out of range', { dataType: 12, dims: [1n], uint64Data: [2n ** 32n] }, 'refused', 'does not fit uint32'],
    [
      'a boolean of 2',
      { dataType: 9, dims: [2n], rawData: Uint8Array.of(1, 2) },
      'refused',
      'the boolean 2 at index 1',
    ],
    [
      'a negative axis',
      { dataType: 1, dims: [2n, -1n], rawData: float(1) },
      'refused',
      'has shape [2,-1]: axis 1 has -1 elements',
    ],
    ['an axis of 0', { dataType: 1, dims: [2n, 0n], rawData: float() }, 'refused', 'axis 1 has 0 elements'],
    ['too many elements', { dataType: 1, dims: [2n ** 40n, 2n ** 40n] }, 'limit', 'limit "elements"'],
    ['too many axes', { dataType: 1, dims: new Array(33).fill(1n) }, 'limit', 'limit "rank"'],
    ['no type', { dims: [1n], rawData: float(1) }, 'refused', 'element type 0, which ONNX does not define'],
    ['an unknown type', { dataType: 99 }, 'refused', 'element type 99'],
    ['complex64', { dataType: 14, dims: [1n] }, 'unsupported', 'element type complex64'],
    ['float6', { dataType: 27, dims: [1n] }, 'unsupported', 'element type float6e2m3'],
    ['half a byte too few', { dataType: 22, dims: [3n], rawData: float(1).slice(0, 1) }, 'refused', 'needs 2'],
    ['a code out of range', { dataType: 17, dims: [1n], int32Data: [256] }, 'refused', 'no code of float8e4m3fn'],
    ['strings', { dataType: 8, dims: [1n], stringData: [float()] }, 'unsupported', 'holds strings'],
    [
      'external data',
      { dataType: 1, dims: [1n], dataLocation: 1, externalData: [{ key: 'location', value: 'weights.bin' }] },
      'unsupported',
      'keeps its data outside the model file (external data, file "weights.bin")',
    ],
    ['a location without a meaning', { dataType: 1, dims: [1n], dataLocation: 2 }, 'refused', 'data location 2'],
    ['a segment', { dataType: 1, dims: [1n], segment: float() }, 'unsupported', 'segment'],
  ]
  it.each(cases)('%s', (_, tensor, code, message) => {
    const found = failure(tensor)
    expect(found.message).toContain(message)
    expect(found.code).toBe(code)
  })
})

describe('narrow types', () => {
  const numbers = (tensor: Parameters<typeof read>[0]): number[] => Array.from(readConstant(read(tensor)), Number)

  it('of 4 and 2 bits are packed from the low end of a byte, raw and typed', () => {
    const dims = [3n]
    expect(numbers({ dataType: 22, dims, rawData: Uint8Array.of(0x8f, 0x07) })).toEqual([-1, -8, 7])
    expect(numbers({ dataType: 21, dims, rawData: Uint8Array.of(0x8f, 0x07) })).toEqual([15, 8, 7])
    expect(numbers({ dataType: 22, dims, int32Data: [0x8f, 0x07] })).toEqual([-1, -8, 7])
    expect(numbers({ dataType: 26, dims: [5n], rawData: Uint8Array.of(0b11_10_01_00, 0b10) })).toEqual([
      0, 1, -2, -1, -2,
    ])
    expect(numbers({ dataType: 25, dims: [5n], rawData: Uint8Array.of(0b11_10_01_00, 0b10) })).toEqual([0, 1, 2, 3, 2])
    expect(numbers({ dataType: 23, dims, rawData: Uint8Array.of(0x1f, 0x06) })).toEqual([-6, 0.5, 4])
  })

  it('of 8 and 16 bits are the numbers that their codes stand for', () => {
    expect(numbers({ dataType: 17, dims: [3n], rawData: Uint8Array.of(0x38, 0xfe, 0x01) })).toEqual([1, -448, 2 ** -9])
    expect(numbers({ dataType: 18, dims: [2n], int32Data: [0x40, 0x7f] })).toEqual([1, 240])
    expect(numbers({ dataType: 19, dims: [2n], rawData: Uint8Array.of(0x3c, 0x7b) })).toEqual([1, 57344])
    expect(numbers({ dataType: 24, dims: [2n], rawData: Uint8Array.of(127, 0) })).toEqual([1, Math.fround(2 ** -127)])
    expect(numbers({ dataType: 16, dims: [2n], int32Data: [0x3f80, 0xc2f7] })).toEqual([1, -123.5])
  })
})
