/** Arithmetics as text: there and back, and named complaints. */
import { describe, expect, it } from 'vitest'
import { describeArithmetic, FLOAT_ARITHMETIC, parseArithmetic, parseLayerRule, printArithmetic } from './arithmetic.ts'
import { accumulatorNamed, productNamed } from './product-name.ts'
import { studyFormat } from './study-format.ts'
import { type Sweep, sweepArithmetics } from './sweep.ts'

describe('an arithmetic', () => {
  const arithmetic = parseArithmetic({
    ...{ weights: 'e4m3', activations: 'ant4', products: 'l-mul3', accumulators: 'mantissa3', range: 'minmax' },
    layers: [{ pattern: 'conv1.*', set: { weights: 'int8', activations: 'float32' } }],
  })

  it('survives printing and parsing', () => {
    expect(parseArithmetic(JSON.parse(printArithmetic(arithmetic)))).toEqual(arithmetic)
    expect(parseArithmetic({})).toEqual(FLOAT_ARITHMETIC)
    expect(printArithmetic(parseArithmetic({}))).toBe(printArithmetic(FLOAT_ARITHMETIC))
  })

  it('is described by what differs', () => {
    expect(describeArithmetic(FLOAT_ARITHMETIC)).toBe('float32')
    expect(describeArithmetic(arithmetic)).toBe(
      'weights e4m3, activations ant4, products l-mul3, sums mantissa3, ranges minmax, conv1.* weights int8, activations float32',
    )
    expect(describeArithmetic(parseArithmetic({ weights: 'int8', activations: 'int8' }))).toBe(
      'weights and activations int8',
    )
    expect(describeArithmetic(parseArithmetic({ weights: 'int8', activations: 'int8', inputs: 'int8' }))).toBe(
      'weights, activations and inputs int8',
    )
  })

  it.each([
    [null, /no JSON object/],
    [{ weight: 'int8' }, /no field is called "weight"; there are weights, activations/],
    [{ weights: 8 }, /"weights" is no text/],
    [{ weights: 'fp8' }, /no format is called "fp8"; a study knows int8, /],
    [{ activations: 'e8m0' }, /neither a zero nor a sign/],
    [{ products: 'l-mul0' }, /1 to 23 mantissa bits/],
    [{ products: 'mul' }, /no products are called "mul"; there are exact, l-mul<bits>/],
    [{ accumulators: 'int4' }, /no accumulators are called "int4"; there are float32/],
    [{ range: 'entropy' }, /"range" is one of minmax, mse/],
    [{ layers: [{ pattern: 'a' }] }, /rule 1: a rule has a "pattern" and a "set"/],
    [{ layers: [{ pattern: 'a', set: { weigths: 'int8' } }] }, /fields are weights, activations/],
  ])('%j is refused', (json, message) => {
    expect(() => parseArithmetic(json)).toThrow(message)
  })
})

describe('a layer rule', () => {
  it('is read from the last colon on', () => {
    expect(parseLayerRule('a:b{1,2}:weights=e4m3,products=exact')).toEqual({
      pattern: 'a:b{1,2}',
      set: { weights: 'e4m3', products: 'exact' },
    })
  })

  it.each(['weights=int8', ':weights=int8', 'a:', 'a:weights', 'a:weights=int8=4', 'a:inputs=int8'])(
    '%s is refused',
    (text) => {
      expect(() => parseLayerRule(text)).toThrow(/write pattern:field=name/)
    },
  )
})

describe('names', () => {
  it('of formats without a convention mean that every code is a number', () => {
    expect(studyFormat('e4m3').signed).toMatchObject([
      { name: 'e4m3-finite', nanCode: undefined, onOverflow: 'saturate' },
    ])
    expect(studyFormat('e4m3fn').signed).toMatchObject([{ onOverflow: 'saturate' }])
    expect(studyFormat('mxfp8').signed).toMatchObject([{ name: 'mxfp8-e4m3' }])
    expect(studyFormat('nvfp4').bits).toBe(4.5)
    expect(studyFormat('bfloat16').scale).toBe('none')
    expect(studyFormat('int8').unsigned).toMatchObject([{ name: 'uint8' }])
    expect(() => studyFormat('int8-flexible')).toThrow(/only minifloats/)
    expect(() => studyFormat('mxfp4-flexible')).toThrow(/only minifloats/)
    expect(() => studyFormat('ant9')).toThrow(/3 to 8 bits/)
    expect(() => studyFormat('e4m3-nan')).toThrow(/no format is called "e4m3-nan"/)
  })

  it('of products and sums', () => {
    expect(productNamed('l-mul4')).toEqual({ kind: 'l-mul', mantissaBits: 4, variant: 'bits' })
    expect(productNamed('l-mul3-formula')).toMatchObject({ variant: 'formula' })
    expect(productNamed('e5m2-products')).toEqual({
      kind: 'rounded',
      mantissaBits: 2,
      leastExponent: -14,
      products: true,
    })
    expect(accumulatorNamed('bfloat16')).toEqual({ kind: 'float', mantissaBits: 7 })
    expect(accumulatorNamed('int24')).toEqual({ kind: 'integer', bits: 24 })
  })
})

describe('a sweep', () => {
  const nothing: Sweep = {
    ...{ formats: [], kinds: ['weights'], products: [], accumulators: [], attentionOnly: false },
    ...{ exempt: [], layers: [], range: 'mse', weightScales: 'channel' },
  }

  it('takes each format with each product and each sum', () => {
    const found = sweepArithmetics({ ...nothing, formats: ['int8', 'e4m3'], products: ['exact', 'l-mul4'] })
    expect(found.map(({ weights, products }) => `${weights} ${products}`)).toEqual([
      ...['int8 exact', 'int8 l-mul4', 'e4m3 exact', 'e4m3 l-mul4'],
    ])
  })

  it('makes products of attention a rule, and exempt layers too', () => {
    const [one] = sweepArithmetics({ ...nothing, products: ['l-mul4'], attentionOnly: true, exempt: ['last'] })
    expect(one).toMatchObject({ products: 'exact' })
    expect(one!.layers.map(({ pattern }) => pattern)).toEqual(['@attention', '@last'])
  })

  it('of nothing is refused', () => {
    expect(() => sweepArithmetics(nothing)).toThrow(/nothing to study/)
  })
})
