/** What the kernels round, encode and decode is what the definition says, bit for bit, at the steps of every listed format. */
import { describe, expect, it } from 'vitest'
import { createSimulation } from '../kernels/simulation.ts'
import { fillRandomUint32 } from '../num/random.ts'
import type { BlockFormat } from './blocks.ts'
import { decodeBlocks, encodeBlocks } from './blocks.ts'
import { type Codes, decodeArray, encodeArray, quantizeArray } from './bulk.ts'
import { catalogue, elementFormatNamed, formatNamed } from './catalogue.ts'
import { encode, round } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { valueTable } from './format-values.ts'
import { prepareBlockRounding, prepareRounding } from './memory-rounding.ts'
import { octaveGrid } from './octave-grid.ts'
import { formatSteps } from './step-function.ts'

const formats = [
  ...catalogue.map(({ name }) => name),
  'power4-0.55',
  'e6m9-finite',
  'ue5m3fn',
  'e4m3fn-saturating',
  'e5m1b3-finite',
].map(formatNamed)
/** Records that a caller has changed: the rule for NaN also stands for overflow to NaN. */
const changed = ['e4m3fn', 'int8', 'e5m2fnuz'].map((name): ElementFormat => {
  const format = elementFormatNamed(name)
  return { ...format, name: `${name} with 0 for NaN`, onNaN: 'zero' }
})
const elements = [...formats.filter((format): format is ElementFormat => format.kind === 'element'), ...changed]
const blocks = formats.filter((format): format is BlockFormat => format.kind === 'block')

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length)

/** All NaN are one. */
const canonical = (values: ArrayLike<number>): Uint32Array => {
  const bits = bitsOf(Float32Array.from(values))
  return bits.map((pattern) => ((pattern & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : pattern))
}

const words = new Uint32Array(600)
fillRandomUint32(77, 0, 0, words)
const specials = [0, -0, 1, -1, Infinity, -Infinity, NaN, 3.4e38, -3.4e38, 1e-45, -1e-45, 1.17549435e-38]

/** The float32 at and beside the steps times scale, the wide formats' by their bits; specials; random patterns. */
function samples(format: ElementFormat, rounding: Rounding, scale: number): Float32Array {
  const steps = format.bits > 16 ? Float64Array.from(ties) : formatSteps(format, rounding).steps
  const stride = Math.ceil(steps.length / 500)
  const ends = (i: number): boolean => i < 30 || i > steps.length - 30
  const singles = Float32Array.from(
    steps.filter((_, i) => i % stride === 0 || ends(i)),
    (step) => step * scale,
  )
  const near = [-1, 0, 1].flatMap((move) => [...new Float32Array(bitsOf(singles).map((bits) => bits + move).buffer)])
  const all = Float32Array.from([...near, ...new Float32Array(words.buffer), ...specials])
  return format.onNaN === 'refuse' ? all.filter((value) => !Number.isNaN(value)) : all
}

/** Half way between two neighbours of 10 mantissa bits. */
const ties = new Float32Array(words.map((word) => (word & 0xffffe000) | 0x1000).buffer).filter(Number.isFinite)

const SCALES = [1, 0.37, 2 ** -9, 2 ** 100, 2 ** -120]

describe('the kernels', () => {
  it.each(elements.map((format) => [format.name, format] as const))('%s: equal encode and decode', (_, format) => {
    const simulation = createSimulation()
    const decoded = valueTable(format)
    const wrong: object[] = []
    for (const rounding of ['nearest-even', 'nearest-away', 'up'] as const) {
      if (rounding === 'up' && format.bits > 8) continue
      const prepared = prepareRounding(simulation, format, rounding)
      for (const scale of SCALES) {
        const values = samples(format, rounding, scale)
        expect(values.length).toBeGreaterThan(600)
        const codes = Uint32Array.from(values, (value) => encode(format, value / scale, rounding))
        const doubles = Float64Array.from(codes, (code) => decoded[code]! * scale)
        const singles = canonical(doubles)
        const address = simulation.allocate(4 * values.length)
        const memory = new Float32Array(simulation.memory.buffer, address, values.length)
        memory.set(values)
        prepared.round(address, address, values.length, scale)
        const rounded = canonical(memory)
        const [ofSingles, ofDoubles] = [values, Float64Array.from(values)].map((input) => ({
          codes: encodeArray(format, input, { scale, rounding }),
          doubles: quantizeArray(format, input, { scale, rounding }),
        })) as [{ codes: Codes; doubles: Float64Array }, { codes: Codes; doubles: Float64Array }]
        const decodedAgain = canonical(decodeArray(format, ofSingles.codes, scale))
        for (const [i, code] of codes.entries())
          if (
            rounded[i] !== singles[i] ||
            decodedAgain[i] !== singles[i] ||
            ofSingles.codes[i] !== code ||
            ofDoubles.codes[i] !== code ||
            !Object.is(ofSingles.doubles[i], doubles[i]) ||
            !Object.is(ofDoubles.doubles[i], doubles[i])
          )
            wrong.push({ rounding, scale, value: values[i], code, memory: memory[i], codes: ofSingles.codes[i] })
      }
    }
    expect(wrong.slice(0, 5)).toEqual([])
  })

  it('round channels and lanes with their own scales', () => {
    const simulation = createSimulation()
    const values = new Float32Array(words.map((word) => (word & 0x83ffffff) | 0x3c000000).buffer)
    const scales = Float64Array.of(0.5, 0.0313, 1, 2 ** -7, 0.3, 1, 7, 0.001)
    for (const name of ['int4', 'e4m3fn', 'flint4']) {
      const format = elementFormatNamed(name)
      const prepared = prepareRounding(simulation, format)
      const address = simulation.allocate(4 * values.length)
      const memory = new Float32Array(simulation.memory.buffer, address, values.length)
      for (const [kind, scaleAt] of [
        ['roundChannels', (i: number) => scales[Math.floor(i / 75)]!],
        ['roundLanes', (i: number) => scales[i % 8]!],
      ] as const) {
        memory.set(values)
        prepared[kind](address, address, 75, scales)
        const expected = values.map((value, i) => round(format, value / scaleAt(i)) * scaleAt(i))
        expect(canonical(memory), kind).toEqual(canonical(expected))
      }
    }
  })

  it('name the NaN that a format refuses, in memory and in arrays', () => {
    const simulation = createSimulation()
    const values = new Float32Array(1000).fill(1)
    values[711] = Number.NaN
    for (const name of ['int8', 'e2m1', 'flint4']) {
      const format = elementFormatNamed(name)
      const asZero: ElementFormat = { ...format, onNaN: 'zero' }
      const [refusing, forgiving] = [prepareRounding(simulation, format), prepareRounding(simulation, asZero)]
      const address = simulation.allocate(4000)
      const memory = new Float32Array(simulation.memory.buffer, address, 1000)
      const message = new RegExp(`element 711: format "${name}" has no code for NaN`)
      memory.set(values)
      expect(() => refusing.round(address, address, 1000, 0.3)).toThrow(message)
      expect(() => encodeArray(format, values, { scale: 0.3 })).toThrow(message)
      // Whole vectors are converted: what the longer array left behind the shorter one does not count.
      expect(encodeArray(format, values.subarray(0, 709), { scale: 0.3 })).toHaveLength(709)
      expect(() => quantizeArray(format, values)).toThrow(message)
      expect(quantizeArray(format, values.subarray(0, 711))).toHaveLength(711)
      expect(quantizeArray(asZero, values, { scale: 0.5 })[711]).toBe(0)
      expect(encodeArray(asZero, values, { scale: 0.5 })[711]).toBe(0)
      memory.set(values)
      forgiving.round(address, address, 1000, 0.3)
      expect(memory[711]).toBe(0)
    }
    expect(() => prepareRounding(simulation, elementFormatNamed('int8')).round(64, 64, 4, 0)).toThrow(
      /must be positive/,
    )
    expect(() => prepareRounding(simulation, elementFormatNamed('int8'), 'stochastic')).toThrow(/not offered/)
    expect(() => prepareRounding(simulation, elementFormatNamed('int8')).roundLanes(64, 64, 1, [1])).toThrow(
      /multiple of 4/,
    )
    expect(() => decodeArray(elementFormatNamed('e2m1'), new Uint8Array(500).fill(16))).toThrow(/16 is no code/)
  })

  it('leave an unsigned format with an infinity to the definition', () => {
    const format = elementFormatNamed('ue4m4-ieee')
    const values = Float64Array.from({ length: 300 }, (_, i) => i * 3)
    const codes = Uint8Array.from(values, (value) => encode(format, value / 0.7))
    expect(encodeArray(format, values, { scale: 0.7 })).toEqual(codes)
    expect([...quantizeArray(format, values, { scale: 0.7 })]).toEqual(
      [...codes].map((code) => valueTable(format)[code]! * 0.7),
    )
  })

  it('has arithmetic for minifloats and integers, steps for the rest', () => {
    const stepped = elements.filter((format) => octaveGrid(format, 'nearest-even') === undefined)
    expect(stepped.map(({ name }) => name)).toEqual([
      'e8m0',
      'flint4',
      'uflint4',
      'flint8',
      'pot4',
      'upot4',
      'power4-0.5',
      'power8-0.5',
      'power4-0.55',
      'e4m3fn with 0 for NaN',
      'e5m2fnuz with 0 for NaN',
    ])
  })
})

describe('prepareBlockRounding', () => {
  const random = new Uint32Array(3 * 444)
  fillRandomUint32(5, 0, 0, random)

  /** Rows of 444, so that the last block of each is short; zeros and −0, magnitudes from 2^−40 to 2^19. */
  function rowsOf(least: number): Float32Array {
    const values = Float32Array.from(random, (word, i) => (word / 2 ** 32 - 0.5) * 2 ** (((i >> 4) % 60) + least))
    values.fill(0, 64, 96)
    values[70] = -0
    return values
  }

  it.each(blocks.map((format) => [format.name, format] as const))('%s equals encodeBlocks', (_, format) => {
    for (const rounding of ['nearest-even', 'nearest-away'] as const)
      for (const least of [-40, -140, 60]) {
        const values = rowsOf(least)
        const simulation = createSimulation()
        const prepared = prepareBlockRounding(simulation, format, rounding)
        const address = simulation.allocate(4 * values.length)
        const memory = new Float32Array(simulation.memory.buffer, address, values.length)
        // One row, and three: as three tensors where nothing is shared by the tensor.
        const whole = canonical(decodeBlocks(encodeBlocks(format, values, { rounding })))
        memory.set(values)
        prepared.roundRows(address, address, 1, values.length, 0)
        expect(canonical(memory)).toEqual(whole)
        memory.set(values)
        prepared.roundRows(address, address, 3, 444, 4 * 444)
        if (format.size === 'tensor') expect(canonical(memory)).toEqual(whole)
        else if (format.scaling.kind !== 'two-level')
          for (const row of [0, 1, 2]) {
            const part = values.subarray(row * 444, (row + 1) * 444)
            const expected = canonical(decodeBlocks(encodeBlocks(format, part, { rounding })))
            expect(canonical(memory.slice(row * 444, (row + 1) * 444))).toEqual(expected)
          }
      }
  })

  it('a block that is not finite is NaN in MX, refused elsewhere', () => {
    const values = rowsOf(-20)
    values[40] = Infinity
    values[1000] = NaN
    const simulation = createSimulation()
    const address = simulation.allocate(4 * values.length)
    const memory = new Float32Array(simulation.memory.buffer, address, values.length)
    for (const format of blocks) {
      memory.set(values)
      const prepared = prepareBlockRounding(simulation, format)
      const run = (): void => prepared.roundRows(address, address, 1, values.length, 0)
      if (format.scaling.kind !== 'power-of-two') expect(run).toThrow(/has no code for NaN and infinities/)
      else {
        run()
        expect(canonical(memory)).toEqual(canonical(decodeBlocks(encodeBlocks(format, values))))
      }
    }
  })
})
