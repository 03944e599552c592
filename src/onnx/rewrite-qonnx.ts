/**
 * QONNX's Quant, BipolarQuant and Trunc: reals in, rounded reals out. Constants become codes with DequantizeLinear;
 * run-time values become a Clip to what the codes mean, where a width or `narrow` leaves codes of the stored type out, and
 * QuantizeLinear with DequantizeLinear.
 *
 * Source: QONNX's operator pages (Pappalardo et al., QONNX: Representing Arbitrary-Precision Quantized Neural Networks,
 * 2022, section 4): code = clamp(round(x / scale + zero point)), real = (code − zero point) × scale.
 */
import type { Node } from '../graph/graph.ts'
import { type Constant, type ElementType, elementCount, makeConstant, readNumbers } from '../graph/tensor.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import type { Rewriting } from './rewriting.ts'

type Rounding = (value: number) => number

const ROUNDINGS: ReadonlyMap<string, Rounding> = new Map<string, Rounding>([
  ['ROUND', roundHalfEven],
  ['HALF_EVEN', roundHalfEven],
  ['CEIL', Math.ceil],
  ['FLOOR', Math.floor],
  ['UP', (value) => Math.sign(value) * Math.ceil(Math.abs(value))],
  ['DOWN', Math.trunc],
  ['ROUND_TO_ZERO', Math.trunc],
  ['HALF_UP', (value) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5)],
  ['HALF_DOWN', (value) => Math.sign(value) * Math.ceil(Math.abs(value) - 0.5)],
])

/** Inputs x, scale, zero point, bit width. */
export function rewriteQuant(one: Rewriting): Node[] {
  const { attributes } = one.node
  const scale = one.numbers(1, 'scale')
  const zeroPoint = one.numbers(2, 'zero point')
  const [bits] = one.numbers(3, 'bit width')
  const signed = (attributes.get('signed') ?? 1) !== 0
  const narrow = (attributes.get('narrow') ?? 0) !== 0
  const mode = String(attributes.get('rounding_mode') ?? 'ROUND').toUpperCase()
  const round = ROUNDINGS.get(mode)
  if (round === undefined) one.refuse(`has the rounding mode ${mode}, which QONNX does not define`)
  if (!Number.isInteger(bits) || (bits as number) < 2 || (bits as number) > 32)
    one.unsupported(`has ${bits} bits; dyadic reads whole numbers of bits from 2 to 32, and BipolarQuant for one`)
  if (scale.some((step) => !(step > 0) || step === Infinity)) one.refuse('has a scale that is not positive and finite')
  const range = codeRange(bits as number, signed, narrow)
  const grid: Grid = { scale, zeroPoint, ...range }
  if (zeroPoint.some((point) => !Number.isInteger(point) || point < range.low || point > range.high))
    one.unsupported(`has a zero point that is none of its codes, ${range.low} to ${range.high}`)
  const x = one.known(one.input(0))
  if (x !== undefined) return quantizedConstant(one, x, grid, round)
  if (round !== roundHalfEven)
    one.unsupported(
      `rounds a computed value by ${mode}; dyadic reads ROUND (half to even) there: train or export it so`,
    )
  if (scale.length > 1 || zeroPoint.length > 1)
    one.unsupported('quantises a computed value with several scales; dyadic compiles one scale per value')
  return quantizedValue(one, grid)
}

/** Constants of −scale and scale; x from 0 up is positive. */
export function rewriteBipolarQuant(one: Rewriting): Node[] {
  const x = one.known(one.input(0))
  if (x === undefined)
    one.unsupported('gives a computed value two levels, for which dyadic has no integer form; use Quant with 2 bits')
  const signs = readNumbers(x).map((value) => (value >= 0 ? 1 : -1))
  const scale = one.numbers(1, 'scale')
  const grid: Grid = { scale, zeroPoint: [0], low: -1, high: 1 }
  return constantCodes(one, x, grid, signs)
}

/** Constants only: dropping low bits of a computed value rounds down, which no scale expresses. */
export function rewriteTrunc(one: Rewriting): Node[] {
  const x = one.known(one.input(0))
  if (x === undefined)
    one.unsupported(
      'drops low bits of a computed value, which rounds down; dyadic rounds to nearest: replace it by Quant with the scale of its output',
    )
  const [scale, zeroPoint] = [one.numbers(1, 'scale'), one.numbers(2, 'zero point')]
  const [from, to] = [one.numbers(3, 'bit width')[0] as number, one.numbers(4, 'output bit width')[0] as number]
  const round = ROUNDINGS.get(String(one.node.attributes.get('rounding_mode') ?? 'FLOOR').toUpperCase()) ?? Math.floor
  const unit = 2 ** (from - to)
  const at = indexInto(one, x, scale, 1)
  const reals = readNumbers(x).map((value, index) => {
    const s = scale[at.of(index)] as number
    const z = zeroPoint[zeroPoint.length > 1 ? at.of(index) : 0] as number
    return (round(roundHalfEven(value / s + z) / unit) - z) * s
  })
  return one.last('Identity', [one.constant('truncated', makeConstant('float32', x.shape, reals))])
}

interface Grid {
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  readonly low: number
  readonly high: number
}

function codeRange(bits: number, signed: boolean, narrow: boolean): { low: number; high: number } {
  if (signed) return { low: -(2 ** (bits - 1)) + (narrow ? 1 : 0), high: 2 ** (bits - 1) - 1 }
  return { low: 0, high: 2 ** bits - 1 - (narrow ? 1 : 0) }
}

/** The smallest type that holds the codes. */
function storedType(one: Rewriting, { low, high }: Grid): ElementType {
  if (low >= -128 && high <= 127) return 'int8'
  if (low >= 0 && high <= 255) return 'uint8'
  if (low >= -32768 && high <= 32767) return 'int16'
  if (low >= -(2 ** 31) && high < 2 ** 31) return 'int32'
  return one.unsupported(`has codes from ${low} to ${high}, beyond int32`)
}

function quantizedConstant(one: Rewriting, x: Constant, grid: Grid, round: Rounding): Node[] {
  const at = indexInto(one, x, grid.scale, 1)
  const zeroAt = grid.zeroPoint.length > 1 ? indexInto(one, x, grid.zeroPoint, 2) : undefined
  const codes = readNumbers(x).map((value, index) => {
    const code = round(
      value / (grid.scale[at.of(index)] as number) + (grid.zeroPoint[zeroAt?.of(index) ?? 0] as number),
    )
    return Math.min(grid.high, Math.max(grid.low, code))
  })
  return constantCodes(one, x, grid, codes)
}

/** Codes and DequantizeLinear in place of a constant. */
function constantCodes(one: Rewriting, x: Constant, grid: Grid, codes: readonly number[]): Node[] {
  const type = storedType(one, grid)
  const { axis } = indexInto(one, x, grid.scale, 1)
  const count = Math.max(grid.scale.length, grid.zeroPoint.length)
  const sizes = count > 1 ? [count] : []
  const list = (values: readonly number[]): readonly number[] =>
    Array.from({ length: count }, (_, index) => values[values.length > 1 ? index : 0] as number)
  const inputs = [
    one.constant('codes', makeConstant(type, x.shape, codes)),
    one.constant('scale', makeConstant('float64', sizes, list(grid.scale))),
    one.constant('zero_point', makeConstant(type, sizes, list(grid.zeroPoint))),
  ]
  return one.last('DequantizeLinear', inputs, count > 1 ? { axis } : {})
}

function quantizedValue(one: Rewriting, grid: Grid): Node[] {
  const type = storedType(one, grid)
  if (type === 'int32') one.unsupported('keeps more than 16 bits of a computed value; dyadic stores 16 at most')
  const [scale, zeroPoint] = [grid.scale[0] as number, grid.zeroPoint[0] as number]
  const number = (part: string, of: ElementType, value: number): string =>
    one.constant(part, makeConstant(of, [], [value]))
  const whole = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] }[type as 'int8'] as [number, number]
  const bounds = [grid.low, grid.high].map((code) => (code - zeroPoint) * scale)
  const narrower = grid.low > whole[0] || grid.high < whole[1]
  const x = narrower
    ? one.add('Clip', [
        one.input(0),
        number('low', 'float32', bounds[0] as number),
        number('high', 'float32', bounds[1] as number),
      ])
    : one.input(0)
  const constants = [number('scale', 'float32', scale), number('zero_point', type, zeroPoint)]
  const codes = one.add('QuantizeLinear', [x, ...constants])
  return one.last('DequantizeLinear', [codes, ...constants])
}

/** Which entry of a parameter that broadcasts along one dimension belongs to an element. */
function indexInto(
  one: Rewriting,
  x: Constant,
  parameter: readonly number[],
  index: number,
): { axis: number; of: (element: number) => number } {
  if (parameter.length === 1) return { axis: 0, of: () => 0 }
  const { shape } = one.known(one.input(index)) as Constant
  const padded = [...new Array<number>(Math.max(0, x.shape.length - shape.length)).fill(1), ...shape]
  const axis = padded.findIndex((size) => size > 1)
  if (
    padded.length !== x.shape.length ||
    padded.filter((size) => size > 1).length !== 1 ||
    padded[axis] !== x.shape[axis]
  )
    one.unsupported(
      `has parameters of shape [${shape}] for [${x.shape}]; dyadic reads one, or one per index of one dimension`,
    )
  const inner = elementCount(x.shape.slice(axis + 1))
  return { axis, of: (element) => Math.floor(element / inner) % parameter.length }
}
