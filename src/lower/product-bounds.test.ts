/** Proofs of products and normalisations: bounds that an adversary attains, and refusals by name. */
import { describe, expect, it } from 'vitest'
import { interval } from '../num/interval.ts'
import { requantizeExact } from '../num/requantize.ts'
import { createRandom } from '../program/program.fixture.ts'
import { proveMagnitude, proveNormalize, proveProduct } from './bounds.ts'
import type { IntegerTensor, NormalizeInstruction } from './integer-graph.ts'

describe('proveProduct', () => {
  it('gives bounds that operands attain', () => {
    const random = createRandom(1)
    for (let i = 0; i < 500; i++) {
      const range = () => {
        const [a, b] = [random.between(-255, 255), random.between(-255, 255)]
        return interval(Math.min(a, b), Math.max(a, b))
      }
      const [leftRange, rightRange] = [range(), range()]
      const inner = random.between(1, 500)
      const [multiplier, shift, leftShift] = [
        random.between(0, 2 ** 31 - 1),
        random.between(32, 62),
        random.between(0, 5),
      ]
      const { accumulator, biased, requantised } = proveProduct({
        where: 'p',
        leftRange,
        rightRange,
        inner,
        multiplier,
        shift,
        leftShift,
      })
      const corners = [leftRange.low, leftRange.high].flatMap((a) => [a * rightRange.low, a * rightRange.high])
      const [least, most] = [Math.min(...corners), Math.max(...corners)]
      expect(accumulator).toEqual(interval(Math.min(0, inner * least), Math.max(0, inner * most)))
      expect(biased).toEqual(interval(inner * least * 2 ** leftShift, inner * most * 2 ** leftShift))
      const exact = (value: number) => Number(requantizeExact(BigInt(value), BigInt(multiplier), BigInt(shift)))
      expect(requantised).toEqual(interval(exact(biased.low), exact(biased.high)))
    }
  })

  it('is tighter where the rows of the left operand have a known sum', () => {
    const given = { where: 'p', inner: 197, multiplier: 1, shift: 40, leftShift: 0, largestRowSum: 300 }
    const rightRange = interval(-200, 55)
    expect(proveProduct({ ...given, leftRange: interval(0, 255), rightRange }).accumulator).toEqual(
      interval(-200 * 300, 55 * 300),
    )
    expect(proveProduct({ ...given, leftRange: interval(-255, 0), rightRange }).accumulator).toEqual(
      interval(-55 * 300, 200 * 300),
    )
    expect(proveProduct({ ...given, leftRange: interval(-9, 255), rightRange }).accumulator).toEqual(
      interval(-200 * 300, 200 * 300),
    )
    // A sum that cannot be reached does not matter.
    expect(proveProduct({ ...given, inner: 1, leftRange: interval(0, 255), rightRange }).accumulator).toEqual(
      interval(-200 * 255, 55 * 255),
    )
    // 16 bits by 16 bits fit because of it alone.
    const wide = { ...given, leftRange: interval(0, 32767), rightRange: interval(-32768, 32767) }
    expect(proveProduct({ ...wide, largestRowSum: 33000 }).biased).toEqual(interval(-32768 * 33000, 32767 * 33000))
  })

  it('refuses what can leave its word', () => {
    const given = { where: 'p', inner: 64, multiplier: 1, shift: 40, leftShift: 0 }
    const [narrow, wide] = [interval(-255, 255), interval(-32768, 32767)]
    const refuse = (proof: Partial<Parameters<typeof proveProduct>[0]>, message: string | RegExp) =>
      expect(() => proveProduct({ ...given, leftRange: narrow, rightRange: narrow, ...proof })).toThrow(message)
    refuse(
      { leftRange: interval(-40000, 0) },
      'product "p": its left operand minus the zero point can reach [-40000, 0]',
    )
    refuse({ rightRange: interval(0, 32768) }, 'its right operand')
    refuse({ leftRange: wide, rightRange: wide }, 'a sum of the product can reach [-68717379584, 68719476736]')
    refuse({ leftShift: 10 }, 'the shifted sum of the product can reach')
  })
})

describe('proveMagnitude', () => {
  it('gives the least and the largest length', () => {
    const prove = (left: readonly [number, number], right: readonly [number, number], leftShift = 0) =>
      proveMagnitude('m', interval(...left), interval(...right), 2 ** 30, 32, leftShift)
    expect(prove([-3, 2], [-4, 1])).toEqual({
      accumulator: interval(0, 25),
      biased: interval(0, 5),
      requantised: interval(0, 1),
    })
    expect(prove([3, 6], [-8, -4], 2)).toEqual({
      accumulator: interval(25, 100),
      biased: interval(20, 40),
      requantised: interval(5, 10),
    })
    expect(prove([-32768, 0], [-32768, 0]).biased).toEqual(interval(0, 46340))
    expect(() => prove([0, 32768], [0, 1])).toThrow('layer "m": its left operand minus the zero point')
    expect(() => prove([0, 32767], [0, 1], 17)).toThrow('the shifted length can reach')
  })
})

describe('proveNormalize', () => {
  const input: IntegerTensor = {
    id: 0,
    name: 'x',
    format: 's16',
    height: 1,
    width: 1,
    channels: 2,
    scale: 1,
    zeroPoint: 0,
    range: interval(-32768, 32767),
  }
  const given: Parameters<typeof proveNormalize>[0] = {
    name: 'n',
    input,
    inputZeroPoint: 5,
    centred: true,
    rule: 'exact',
    multipliers: Int32Array.of(2 ** 31 - 1, -(2 ** 31) + 1),
    biases: Int32Array.of(2 ** 30, -(2 ** 30)),
    shift: 61,
  }

  it('accepts every multiplier and bias with room, and refuses the others', () => {
    const prove = (changed: Partial<NormalizeInstruction>) => () => proveNormalize({ ...given, ...changed })
    expect(prove({})).not.toThrow()
    expect(prove({ shift: 62 })).toThrow('normalisation "n": channel 0 with its bias can reach')
    expect(prove({ rule: 'poly' })).toThrow('channel 0 with its bias can reach')
    expect(prove({ rule: 'poly', biases: new Int32Array(2) })).not.toThrow()
    expect(prove({ multipliers: Int32Array.of(1, -(2 ** 31)) })).toThrow('the multiplier of channel 1 is −2^31')
    expect(prove({ centred: false })).toThrow('minus the zero point can reach [-32773, 32762], beyond int16')
    expect(prove({ centred: false, inputZeroPoint: 0 })).not.toThrow()
    expect(prove({ input: { ...input, channels: 32768 } })).toThrow('32768 channels, more than 32767')
  })
})
