/** Scales and types: never worse than the obvious one; ANT chooses as its card says; biases are integers. */
import { describe, expect, it } from 'vitest'
import type { ElementFormat } from '../formats/element-format.ts'
import { scaleFor, searchScale } from '../formats/scale.ts'
import { randomUint32 } from '../num/random.ts'
import { chooseFormat, chooseScale, extentOf } from './choose-scale.ts'
import { elementError } from './round-values.ts'
import { studyFormat } from './study-format.ts'

/** Uniform in (−1, 1). */
const noise = (seed: number): number[] =>
  Array.from({ length: 3000 }, (_, i) => (randomUint32(seed, 0, i) + 0.5) / 2 ** 31 - 1)

const uniform = Float32Array.from(noise(1))
/** Laplace with variance 2. */
const laplace = Float32Array.from(noise(2), (u) => -Math.sign(u) * Math.log(1 - Math.abs(u)))
/** Far tails: the reciprocal of a uniform number. */
const heavy = Float32Array.from(noise(4), (u) => Math.sign(u) / Math.max(Math.abs(u), 1e-3))
const only = (name: string): ElementFormat => studyFormat(name).signed[0] as ElementFormat

describe('real scales', () => {
  it.each(['int8', 'int4', 'e4m3', 'e2m1', 'flint4'])(
    '%s: mse is the search of src/formats and no worse than minmax',
    (name) => {
      for (const values of [uniform, laplace, heavy]) {
        const format = only(name)
        const extent = extentOf(values, 'values')
        const found = chooseScale(format, extent, 'real', 'mse')
        const widest = chooseScale(format, extent, 'real', 'minmax')
        expect(widest.scale).toBe(scaleFor(format, extent.largest))
        expect(found.error).toBeLessThanOrEqual(elementError(format, values, widest.scale))
        const other = elementError(format, values, searchScale(format, values))
        expect(found.error).toBeLessThanOrEqual(other * 1.001)
      }
    },
  )

  it('of zeros is 1', () => {
    expect(chooseScale(only('int8'), extentOf(new Float32Array(3), 'zeros'), 'real', 'mse').scale).toBe(1)
  })

  it('needs finite values', () => {
    expect(() => extentOf(Float32Array.of(1, Number.NaN), 'the weights of "a"')).toThrow(
      /the weights of "a": element 1 is NaN/,
    )
  })
})

describe('flexible biases', () => {
  it('are powers of two with the least error among their neighbours, one for each channel', () => {
    const format = only('e3m4-flexible')
    const channels = [uniform, laplace.map((value) => value * 40)].map((values) => extentOf(values, 'values'))
    const { scales } = chooseFormat(studyFormat('e3m4-flexible'), channels, 'mse', true)
    expect(scales).toHaveLength(2)
    for (const [index, scale] of scales.entries()) {
      expect(Number.isInteger(Math.log2(scale))).toBe(true)
      const { values } = channels[index]!
      const error = elementError(format, values, scale)
      for (const other of [scale / 2, scale * 2]) expect(error).toBeLessThanOrEqual(elementError(format, values, other))
    }
    expect(scales[1]).toBeGreaterThan(scales[0]!)
  })
})

describe('ANT', () => {
  const typeOf = (values: Float32Array): string =>
    chooseFormat(studyFormat('ant4'), [extentOf(values, 'values')], 'mse', true).format.name

  it('takes integers for uniform, flint for Laplace, powers of two for far tails', () => {
    expect(typeOf(uniform)).toBe('int4')
    expect(typeOf(laplace)).toBe('flint4')
    expect(typeOf(heavy)).toMatch(/^(pot4|e3m0-finite)$/)
  })

  it('has no more error than any of its types searched alike', () => {
    const format = studyFormat('ant4')
    for (const values of [uniform, laplace, heavy]) {
      const extent = extentOf(values, 'values')
      const { format: type, scales, rounding } = chooseFormat(format, [extent], 'mse', true)
      const error = elementError(type, values, scales[0]!, rounding)
      for (const other of format.signed)
        expect(error).toBeLessThanOrEqual(chooseScale(other as ElementFormat, extent, 'ant', 'mse').error)
    }
  })

  it('is an integer format above 6 bits, and unsigned where nothing is negative', () => {
    expect(studyFormat('ant8').signed.map(({ name }) => name)).toEqual(['int8'])
    expect(studyFormat('ant4').unsigned.map(({ name }) => name)).toEqual(['uint4', 'uflint4', 'upot4', 'ue3m1-finite'])
  })
})
