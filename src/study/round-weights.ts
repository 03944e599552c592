/** Weights under a format: rounded row by row, with a scale for each output channel, for the tensor, or for each block. */
import { DyadicError, quoted } from '../error.ts'
import type { Format } from '../formats/catalogue.ts'
import type { ElementFormat } from '../formats/element-format.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { Arithmetic } from './arithmetic.ts'
import { chooseFormat, extentOf } from './choose-scale.ts'
import { type HeldTensor, held, unrounded } from './held-tensor.ts'
import { type StudyLayer, type WeightRows, weightRows } from './layers.ts'
import { roundBlocks, roundElements } from './round-values.ts'
import type { StudyFormat } from './study-format.ts'

/** Refuses an unsigned format for a tensor that has negative numbers. */
export function requireSign({ name, signed: [format] }: StudyFormat, negative: boolean, where: string): void {
  if (negative && format?.kind === 'element' && format.lowest === 0)
    throw new DyadicError(
      'usage',
      `format ${quoted(name)} has no negative numbers, but ${where} has; take a signed one, such as int8 or e4m3`,
    )
}

/** The constant of a layer, rounded to a format and then to that of factors, where there are such. */
export function roundWeights(
  layer: StudyLayer,
  constant: Constant,
  format: StudyFormat | undefined,
  factor: ElementFormat | undefined,
  { range, weightScales }: Arithmetic,
): { constant: Constant; held: HeldTensor } {
  if (format === undefined && factor === undefined) return { constant, held: unrounded(elementCount(constant.shape)) }
  const where = `the weights of ${quoted(layer.name)}`
  const numbers = readNumbers(constant)
  const { rows, length, order } = weightRows(layer, constant.shape)
  const values = Float32Array.from(order, (index) => numbers[index] as number)
  const made = format && roundRows(format, values, { rows, length }, { range, weightScales }, where)
  if (factor !== undefined) roundElements(factor, values, 1)
  const rounded = new Float32Array(numbers.length)
  for (let i = 0; i < rounded.length; i++) rounded[order[i]!] = values[i]!
  return {
    constant: makeConstant('float32', constant.shape, rounded),
    held:
      format && made ? held(format.name, made.record, numbers.length, rows, made.scales) : unrounded(numbers.length),
  }
}

/** Rounds rows of weights in place and gives the format that was chosen. */
function roundRows(
  format: StudyFormat,
  values: Float32Array,
  { rows, length }: Pick<WeightRows, 'rows' | 'length'>,
  { range, weightScales }: Pick<Arithmetic, 'range' | 'weightScales'>,
  where: string,
): { readonly record: Format; readonly scales?: readonly number[] } {
  requireSign(
    format,
    values.some((value) => value < 0),
    where,
  )
  const whole = extentOf(values, where)
  const [block] = format.signed
  if (block?.kind === 'block') {
    roundBlocks(block, values, length, length)
    return { record: block }
  }
  const rowAt = (row: number): Float32Array => values.subarray(row * length, (row + 1) * length)
  const parts =
    weightScales === 'tensor' ? [whole] : Array.from({ length: rows }, (_, row) => extentOf(rowAt(row), where))
  const { format: chosen, scales, rounding } = chooseFormat(format, parts, range, true)
  for (const [part, scale] of scales.entries())
    roundElements(chosen, scales.length === 1 ? values : rowAt(part), scale, rounding)
  return { record: chosen, scales }
}
