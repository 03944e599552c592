/**
 * Element-by-element kernels against their scalar meaning, integer for integer, on random instructions. Case numbers are seeds.
 */
import { describe, expect, it } from 'vitest'
import type { Instruction, IntegerTensor, ResizeAxis } from '../lower/integer-graph.ts'
import { fillRandomUint32 } from '../num/random.ts'
import {
  type ElementwiseInstruction,
  elementwiseCalls,
  elementwiseConstants,
  isElementwise,
} from '../program/elementwise-calls.ts'
import { link } from '../program/link.ts'
import { createRandom, type Random } from '../program/program.fixture.ts'
import {
  type Codes,
  compare,
  exponentialTables,
  type Format,
  fill,
  limits,
  restart,
  tensor,
} from './elementwise.fixture.ts'
import kernelBytes from './embedded/integer.ts'
import { embeddedBytes } from './module.ts'
import type { StoredCodes } from './scalar/elementwise.ts'

interface Drawn {
  readonly instruction: ElementwiseInstruction
  readonly inputs: readonly IntegerTensor[]
}

const anyFormat = (random: Random): Format => random.pick(['s8', 's16'])

/** Mostly small; one in twenty has long rows. */
function anySize(random: Random): [height: number, width: number, channels: number] {
  if (random.chance(0.05))
    return random.pick<[number, number, number]>([
      [1, 1, 5000],
      [2, 900, 9],
      [40, 33, 4],
    ])
  const channels = random.chance(0.3) ? 8 * random.between(1, 5) : random.between(1, 40)
  return random.chance(0.15) ? [1, 1, channels] : [random.between(1, 5), random.between(1, 7), channels]
}

/** An interval of codes: often all of them, often few. */
function anyRange(format: Format, random: Random): { low: number; high: number } {
  const all = limits(format)
  if (random.chance(0.5)) return all
  const [a, b] = [random.between(all.low, all.high), random.between(all.low, all.high)]
  return { low: Math.min(a, b), high: Math.max(a, b) }
}

/** Of the stored format or, in one case of twelve, far outside it. */
function anyZeroPoint(format: Format, random: Random): number {
  const { low, high } = limits(format)
  return random.chance(0.2) ? 0 : random.chance(0.1) ? random.between(-100_000, 100_000) : random.between(low, high)
}

function outputPart(format: Format, random: Random) {
  const all = limits(format)
  return {
    outputZeroPoint: random.between(all.low, all.high),
    clamp: random.chance(0.6) ? all : anyRange(format, random),
    bounds: { accumulator: all, biased: all, requantised: all },
  }
}

const reach = (range: { low: number; high: number }, zeroPoint: number): number =>
  Math.max(Math.abs(range.low - zeroPoint), Math.abs(range.high - zeroPoint), 1)

/** Result codes per unit of the largest sum: the spread of the output, or an extreme. */
function spread(format: Format, random: Random): number {
  return limits(format).high * random.pick([0.5, 1, 2, 8])
}

function operandsOf(random: Random, demand: (left: number, right: number) => boolean) {
  const [height, width, channels] = anySize(random)
  const onePixel = random.chance(0.3)
  for (;;) {
    const formats = [anyFormat(random), anyFormat(random)] as const
    const left = tensor(formats[0], height, width, channels, anyRange(formats[0], random))
    const right = onePixel
      ? tensor(formats[1], 1, 1, channels, anyRange(formats[1], random))
      : tensor(formats[1], height, width, channels, anyRange(formats[1], random))
    const [leftZeroPoint, rightZeroPoint] = [anyZeroPoint(formats[0], random), anyZeroPoint(formats[1], random)]
    const [most, mostRight] = [reach(left.range, leftZeroPoint), reach(right.range, rightZeroPoint)]
    if (!demand(most, mostRight)) continue
    const output = tensor(anyFormat(random), height, width, channels)
    return { left, right, output, leftZeroPoint, rightZeroPoint, most, mostRight, name: 'case' }
  }
}

function drawAdd(random: Random): Drawn {
  const { most, mostRight, ...operands } = operandsOf(random, () => true)
  const format = operands.output.format as Format
  // |a − za|·|ma| + |b − zb|·|mb| + 2^(shift − 1) < 2^31, as near as the draw wants.
  const shift = random.chance(0.2)
    ? random.between(1, 30)
    : Math.max(1, Math.min(30, 31 - Math.ceil(Math.log2(spread(format, random)))))
  const room = 2 ** 31 - 1 - 2 ** (shift - 1)
  const share = random.between(0, 100) / 100
  const sign = (): number => random.pick([-1, 1, 1])
  const leftMultiplier = sign() * Math.floor((room * share) / most)
  const rightMultiplier = sign() * Math.floor((room * (1 - share)) / mostRight)
  return {
    instruction: { kind: 'add', ...operands, leftMultiplier, rightMultiplier, shift, ...outputPart(format, random) },
    inputs: [operands.left, operands.right],
  }
}

function drawMultiply(random: Random): Drawn {
  const { most, mostRight, ...operands } = operandsOf(random, (left, right) => left * right < 2 ** 31)
  const format = operands.output.format as Format
  const ratio = spread(format, random) / (most * mostRight)
  const extreme = random.chance(0.2)
  const shift = extreme
    ? random.pick([32, 33, 47, 61, 62])
    : Math.max(32, Math.min(62, 30 - Math.ceil(Math.log2(ratio))))
  const multiplier = extreme
    ? random.pick([0, 1, 2 ** 31 - 1, random.between(0, 2 ** 31 - 1)])
    : Math.min(2 ** 31 - 1, Math.floor(ratio * 2 ** shift))
  return {
    instruction: { kind: 'multiply', ...operands, multiplier, shift, ...outputPart(format, random) },
    inputs: [operands.left, operands.right],
  }
}

function drawMagnitude(random: Random): Drawn {
  const [height, width, channels] = anySize(random)
  // Differences of codes and zero points fit 16 bits.
  const operand = () => {
    const format = anyFormat(random)
    const range = anyRange(format, random)
    const zeroPoint = random.between(Math.max(-40_000, range.high - 32767), Math.min(40_000, range.low + 32768))
    return { tensor: tensor(format, height, width, channels, range), zeroPoint }
  }
  const [left, right] = [operand(), operand()]
  const output = tensor(anyFormat(random), height, width, channels)
  const most = Math.hypot(reach(left.tensor.range, left.zeroPoint), reach(right.tensor.range, right.zeroPoint))
  const extreme = random.chance(0.2)
  const ratio = spread(output.format as Format, random) / most
  // The length fits 16 bits; ratios of ½ and more want a left shift.
  const leftShift = Math.min(14, Math.max(extreme ? random.between(0, 14) : 0, Math.ceil(Math.log2(ratio)) + 1))
  const shift = extreme
    ? random.pick([32, 33, 47, 62])
    : Math.max(32, Math.min(62, 30 - Math.ceil(Math.log2(ratio)) + leftShift))
  return {
    instruction: {
      kind: 'magnitude',
      name: 'case',
      left: left.tensor,
      right: right.tensor,
      output,
      leftZeroPoint: left.zeroPoint,
      rightZeroPoint: right.zeroPoint,
      multiplier: Math.min(
        2 ** 31 - 1,
        extreme ? random.pick([0, 1, 2 ** 31 - 1]) : Math.floor(ratio * 2 ** (shift - leftShift)),
      ),
      shift,
      leftShift,
      ...outputPart(output.format as Format, random),
      outputZeroPoint: random.chance(0.8) ? limits(output.format).low : 0,
    },
    inputs: [left.tensor, right.tensor],
  }
}

function drawRescale(random: Random): Drawn {
  const [height, width, channels] = anySize(random)
  const format = anyFormat(random)
  const input = tensor(format, height, width, channels, anyRange(format, random))
  const inputZeroPoint = anyZeroPoint(format, random)
  const output = tensor(anyFormat(random), height, width, channels)
  const shift = random.chance(0.3)
    ? random.between(1, 30)
    : Math.max(1, Math.min(30, 31 - Math.ceil(Math.log2(spread(output.format as Format, random)))))
  const most = Math.floor((2 ** 31 - 1 - 2 ** (shift - 1)) / reach(input.range, inputZeroPoint))
  const factor = (): number => random.pick([most, -most, 0, random.between(-most, most), random.between(-most, most)])
  const uniform = random.chance(0.3)
  const [one, other] = [factor(), factor()]
  return {
    instruction: {
      kind: 'rescale',
      name: 'case',
      input,
      output,
      inputZeroPoint,
      positive: Int32Array.from({ length: channels }, () => (uniform ? one : factor())),
      negative: Int32Array.from({ length: channels }, () => (uniform ? other : factor())),
      shift,
      ...outputPart(output.format as Format, random),
    },
    inputs: [input],
  }
}

const drawCodes = <Made extends Codes>(made: Made, random: Random): Made => {
  const words = new Uint32Array(made.length)
  fillRandomUint32(random.between(0, 2 ** 31), 0, 0, words)
  for (const [i, word] of words.entries()) made[i] = (word & 15) === 0 ? (word & 16 ? 32767 : -32768) : word >>> 16
  return made
}

function drawTable(random: Random): Drawn {
  const [height, width, channels] = anySize(random)
  const table = drawCodes(random.chance(0.5) ? new Int8Array(256) : new Int16Array(256), random)
  const input = tensor('s8', height, width, channels)
  const output = tensor(table instanceof Int8Array ? 's8' : 's16', height, width, channels)
  return { instruction: { kind: 'table', name: 'case', input, output, table }, inputs: [input] }
}

function drawCurve(random: Random): Drawn {
  const [height, width, channels] = anySize(random)
  const input = tensor('s16', height, width, channels)
  const output = tensor(anyFormat(random), height, width, channels)
  const bits = random.between(1, 7)
  const knots = drawCodes(new Int16Array(2 ** (16 - bits) + 1), random)
  // Steps of a few codes show where 8-bit outputs round.
  if (random.chance(0.5)) for (let i = 0; i < knots.length; i++) knots[i] >>= 8
  const { clamp } = outputPart(output.format as Format, random)
  const unitBits = bits > 1 && random.chance(0.4) ? 1 : 0
  return { instruction: { kind: 'curve', name: 'case', input, output, knots, bits, unitBits, clamp }, inputs: [input] }
}

function drawSoftmax(random: Random): Drawn {
  const [height, width, channels] = random.chance(0.02) ? ([1, 1, 65536] as const) : anySize(random)
  const format = anyFormat(random)
  const input = tensor(format, height, width, channels, anyRange(format, random))
  const output = tensor(anyFormat(random), height, width, channels)
  // The whole range spans a few units of the exponent, or far too little or too much.
  const span = random.chance(0.8) ? random.between(1, 40) / 4 : 2 ** random.between(-40, 20)
  const scale = span / (input.range.high - input.range.low + 1)
  const one = random.pick([256, 32768, 32768, 32767, 1, random.between(1, 32768)])
  const { outputZeroPoint, clamp } = random.chance(0.7)
    ? { outputZeroPoint: limits(output.format).low, clamp: limits(output.format) }
    : outputPart(output.format as Format, random)
  const tables = exponentialTables(scale)
  return {
    instruction: { kind: 'softmax', name: 'case', input, output, ...tables, one, outputZeroPoint, clamp },
    inputs: [input],
  }
}

function drawResize(random: Random): Drawn {
  const [height, width, channels] = anySize(random)
  const format = anyFormat(random)
  const input = tensor(format, height, width, channels, anyRange(format, random))
  const bits = random.between(0, 7)
  const axis = (size: number): ResizeAxis => {
    const length = random.chance(0.3) ? 1 : random.between(1, 12)
    const draw = (low: number, high: number) => Int32Array.from({ length }, () => random.between(low, high))
    return { first: draw(0, size - 1), second: draw(0, size - 1), share: draw(0, 2 ** bits) }
  }
  const [rows, columns] = [axis(height), axis(width)]
  const output = tensor(format, rows.first.length, columns.first.length, channels)
  return { instruction: { kind: 'resize', name: 'case', input, output, rows, columns, bits }, inputs: [input] }
}

const CASES = 400
const DRAWS = {
  add: drawAdd,
  multiply: drawMultiply,
  magnitude: drawMagnitude,
  rescale: drawRescale,
  table: drawTable,
  curve: drawCurve,
  softmax: drawSoftmax,
  resize: drawResize,
}

/** What a case covers: a generator that misses one of these proves nothing about it. */
function propertiesOf({ instruction, inputs }: Drawn): string[] {
  const { output } = instruction
  const found = [`${inputs.map(({ format }) => format).join(' ')} → ${output.format}`]
  if (output.channels % 8 !== 0) found.push('spare lanes')
  if (output.height * output.width === 1) found.push('one pixel')
  if (instruction.kind === 'curve') found.push(`pieces of 2^${instruction.bits} in units of 2^${instruction.unitBits}`)
  const [left, right] = inputs
  if (right && left.height * left.width > 1 && right.height * right.width === 1) found.push('one pixel on the right')
  return found
}

describe('element-by-element kernels equal their scalar meaning', () => {
  it.each(Object.keys(DRAWS) as (keyof typeof DRAWS)[])('%s', (kind) => {
    const seen = new Map<string, number>()
    let filled = 0
    for (let seed = 0; seed < CASES; seed++) {
      const random = createRandom(seed)
      restart()
      const drawn = DRAWS[kind](random)
      const operands = new Map(drawn.inputs.map((input) => [input.id, fill(input, seed)]))
      const codes = compare(drawn.instruction, operands)
      if (new Set(codes).size >= Math.min(8, codes.length / 4)) filled++
      for (const property of propertiesOf(drawn)) seen.set(property, (seen.get(property) ?? 0) + 1)
    }
    const formats = { add: 8, multiply: 8, magnitude: 8, rescale: 4, table: 2, curve: 2, softmax: 4, resize: 2 }[kind]
    expect([...seen.keys()].filter((property) => property.includes('→'))).toHaveLength(formats)
    expect([...seen.values()].every((times) => times >= 10)).toBe(true)
    if (kind === 'curve') expect([...seen.keys()].filter((property) => property.startsWith('pieces'))).toHaveLength(13)
    if (kind === 'add' || kind === 'multiply') expect(seen.get('one pixel on the right')).toBeGreaterThan(40)
    expect(filled).toBeGreaterThan(0.5 * CASES)
  })

  it('a tensor plus itself and times itself', () => {
    for (const [draw, seed] of [drawAdd, drawMultiply].flatMap((made) =>
      [1, 2, 3, 4, 5].map((n) => [made, n] as const),
    )) {
      const { instruction } = draw(createRandom(seed))
      if (instruction.kind !== 'add' && instruction.kind !== 'multiply') throw new Error(instruction.kind)
      const left = tensor('s8', 3, 3, 11)
      const output = { ...instruction.output, height: 3, width: 3, channels: 11 }
      compare({ ...instruction, left, right: left, output }, new Map([[left.id, fill(left, seed)]]))
    }
  })

  it('tables and curves on every code', () => {
    const bytes = tensor('s8', 1, 32, 8)
    const every = (input: IntegerTensor): ReadonlyMap<number, StoredCodes> => {
      const stored = fill(input, 0)
      for (let i = 0; i < stored.data.length; i++) stored.data[i] = i + limits(input.format).low
      return new Map([[input.id, stored]])
    }
    const random = createRandom(1)
    for (const table of [drawCodes(new Int8Array(256), random), drawCodes(new Int16Array(256), random)]) {
      const output = tensor(table instanceof Int8Array ? 's8' : 's16', 1, 32, 8)
      expect(compare({ kind: 'table', name: 'codes', input: bytes, output, table }, every(bytes))).toEqual(table)
    }
    const input = tensor('s16', 64, 128, 8)
    for (const format of ['s8', 's16'] as const)
      for (const clamp of [limits(format), { low: -100, high: 99 }]) {
        for (const unitBits of [0, 1] as const) {
          const bits = format === 's8' ? 7 : 4
          const knots = drawCodes(new Int16Array(2 ** (16 - bits) + 1), random)
          const output = tensor(format, 64, 128, 8)
          const instruction = { kind: 'curve', name: 'codes', input, output, knots, bits, unitBits, clamp } as const
          const codes = compare(instruction, every(input))
          // At the knots there is nothing to interpolate.
          for (let i = 0; i < knots.length - 1; i++)
            expect(codes[2 ** bits * i]).toBe(Math.min(clamp.high, Math.max(clamp.low, 2 ** unitBits * knots[i])))
        }
      }
  })

  it('softmax of one channel, of equal codes, and of one far above the others', () => {
    const tables = exponentialTables(0.1)
    const full = { ...tables, one: 32768, outputZeroPoint: -32768, clamp: limits('s16') }
    const of = (values: readonly number[]): Codes => {
      const input = tensor('s16', 1, 1, values.length)
      const stored = fill(input, 0)
      stored.data.set(values)
      const output = tensor('s16', 1, 1, values.length)
      return compare({ kind: 'softmax', name: 'softmax', input, output, ...full }, new Map([[input.id, stored]]))
    }
    // All of 2^15 codes are one more than s16 holds above its least.
    expect([...of([-7])]).toEqual([0])
    expect([...of([5, 5, 5, 5])]).toEqual(Array(4).fill(8192 - 32768))
    expect([...of([-32768, 32767, -32768])]).toEqual([-32768, 0, -32768])
  })

  it('links every kind into a program', () => {
    const random = createRandom(3)
    const run = Object.values(DRAWS).flatMap((draw) => {
      const { instruction } = draw(random)
      return elementwiseCalls(
        instruction,
        elementwiseConstants(instruction, () => 64),
        () => 1024,
        2048,
      )
    })
    const program = new Uint8Array(
      link(embeddedBytes(kernelBytes), { start: [], run, data: [], pages: 1, customSections: [] }),
    )
    expect(new Set(run.map(({ kernel }) => kernel)).size).toBe(8)
    expect(WebAssembly.validate(program)).toBe(true)
    expect(WebAssembly.Module.imports(new WebAssembly.Module(program))).toEqual([])
  })

  it('knows exactly its own kinds', () => {
    const kinds = [
      'import',
      'convolution',
      'add',
      'table',
      'curve',
      'rescale',
      'multiply',
      'magnitude',
      'softmax',
      'move',
      'resize',
    ]
    const known = kinds.filter((kind) => isElementwise({ kind } as unknown as Instruction))
    expect(known).toEqual(Object.keys(DRAWS).sort((a, b) => kinds.indexOf(a) - kinds.indexOf(b)))
  })
})
