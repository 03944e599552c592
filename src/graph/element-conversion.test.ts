import { describe, expect, it } from 'vitest'
import {
  bitsOf,
  codeOf,
  convertElement,
  elementOfCode,
  integerRange,
  isInteger,
  roundToSmallFloat,
  smallFloatFormat,
  wrapInteger,
} from './element-conversion.ts'
import type { ElementType } from './tensor.ts'

const SMALL: readonly ElementType[] = [
  ...(['float16', 'bfloat16', 'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const),
  ...(['float8e8m0', 'float4e2m1', 'int2', 'uint2', 'int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16'] as const),
]

describe('codes', () => {
  it.each(SMALL)('of %s and their elements are each other’s inverse, for all of them', (type) => {
    for (let code = 0; code < 2 ** bitsOf(type); code++) {
      const element = elementOfCode(type, BigInt(code))
      // NaN has several codes.
      if (!Number.isNaN(element) && codeOf(type, element) !== BigInt(code)) expect.unreachable(`${type} ${code}`)
    }
  })

  it.each([
    ['float32', -1.5, 0xbfc00000n],
    ['float64', -2, 0xc000000000000000n],
    ['int64', -1n, 0xffffffffffffffffn],
    ['uint64', 2n ** 63n, 2n ** 63n],
    ['int32', -2, 0xfffffffen],
  ] as const)('of %s: %s', (type, element, code) => {
    expect(codeOf(type, element)).toBe(code)
    expect(elementOfCode(type, code)).toBe(element)
  })
})

/** The table of ONNX Cast: x to float8, with and without saturation. */
describe('float8 at and beyond its end', () => {
  it.each([
    ['float8e4m3fn', 448, NaN, NaN],
    ['float8e4m3fnuz', 240, NaN, NaN],
    ['float8e5m2', 57344, Infinity, Infinity],
    ['float8e5m2fnuz', 57344, NaN, NaN],
  ] as const)('%s', (type, largest, beyond, infinite) => {
    for (const sign of [1, -1]) {
      expect(roundToSmallFloat(type, sign * largest)).toBe(sign * largest)
      expect(roundToSmallFloat(type, sign * 1e9)).toBe(sign * largest)
      expect(roundToSmallFloat(type, sign * Infinity)).toBe(sign * largest)
      expect(roundToSmallFloat(type, sign * 1e9, { saturate: false })).toBe(sign * beyond)
      expect(roundToSmallFloat(type, sign * Infinity, { saturate: false })).toBe(sign * infinite)
    }
    expect(roundToSmallFloat(type, NaN)).toBeNaN()
  })

  it('half precision overflows to infinity, whatever is said about saturation', () => {
    expect(roundToSmallFloat('float16', 65519)).toBe(65504)
    expect(roundToSmallFloat('float16', 65520)).toBe(Infinity)
    expect(roundToSmallFloat('bfloat16', 3.4e38)).toBe(Infinity)
    expect(roundToSmallFloat('bfloat16', 257)).toBe(256)
  })

  it('powers of two are rounded as asked for; zero is the least one', () => {
    expect(roundToSmallFloat('float8e8m0', 3)).toBe(4)
    expect(roundToSmallFloat('float8e8m0', 3, { exponentRounding: 'down' })).toBe(2)
    expect(roundToSmallFloat('float8e8m0', 2.9, { exponentRounding: 'nearest' })).toBe(2)
    expect(roundToSmallFloat('float8e8m0', 0)).toBe(2 ** -127)
  })
})

describe('integers', () => {
  const integers = (Object.keys({ int2: 0, uint2: 0, int4: 0, uint4: 0, int8: 0, uint8: 0, int32: 0 }) as ElementType[])
    .concat(['uint32', 'int64', 'uint64'])
    .filter(isInteger)

  it.each(integers)('%s wraps one beyond either end onto the other', (type) => {
    const [least, most] = integerRange(type)
    expect(wrapInteger(type, most + 1n)).toBe(least)
    expect(wrapInteger(type, least - 1n)).toBe(most)
    expect(most - least).toBe(2n ** BigInt(bitsOf(type)) - 1n)
    expect(BigInt(convertElement(type, most) as number | bigint)).toBe(most)
    expect(BigInt(convertElement(type, most + 1n) as number | bigint)).toBe(least)
  })

  it('are cut towards zero, and have no NaN', () => {
    expect(convertElement('int8', -3.9)).toBe(-3)
    expect(convertElement('int64', 2 ** 53 + 2)).toBe(2n ** 53n + 2n)
    expect(convertElement('int32', Number.NaN)).toBeUndefined()
    expect(convertElement('uint8', -Infinity)).toBeUndefined()
    expect(convertElement('bool', Number.NaN)).toBe(1)
    expect(smallFloatFormat('int8')).toBeUndefined()
  })
})
