/**
 * Products of two computed matrices as dispatches (R15): by tiles where codes lie side by side and rows begin at whole 8 bytes,
 * which attention gives, else by the kernel that takes any steps.
 */
import { DyadicError, quoted } from '../error.ts'
import { type ProductOperands, productFamily } from '../kernels/gpu/product-tiled.ts'
import { MOST_BATCHES } from '../kernels/gpu/product-words.ts'
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { IntegerTensor, ProductInstruction } from '../lower/integer-graph.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import { type AddressOf, imageWords, sizeOf } from './convolution-dispatch.ts'
import { dispatchThreads, dispatchTiles } from './dispatch.ts'

/** Bytes that tiles read at once, and elements that they write. */
const UNIT = 8
/** Products of one image, times a batch, and columns must fit the grid of workgroups: 65,535 each way on every device. */
const MOST_PRODUCTS = 1024
const MOST_COLUMNS = 2 ** 20

/** Throws `unsupported` where results do not begin at multiples of four elements, `limit` for too many loops. */
export function productDispatch(instruction: ProductInstruction, at: AddressOf): GpuDispatch {
  const { name, left, right, output, batches, rows, inner, columns, clamp } = instruction
  if (batches.length > MOST_BATCHES)
    throw new DyadicError(
      'limit',
      `${quoted(name)} has ${batches.length} loops over products, the GPU kernel ${MOST_BATCHES}; run the WebAssembly module`,
    )
  const starts = [instruction.outputStart, instruction.outputSteps.row, ...batches.map((loop) => loop.outputStep)]
  if (starts.some((start) => start % 4 !== 0))
    throw new DyadicError(
      'unsupported',
      `${quoted(name)} writes rows that do not begin at multiples of four elements, which the GPU kernel cannot; run the WebAssembly module`,
    )
  const loops: Record<string, number> = {}
  for (let i = 0; i < MOST_BATCHES; i++) {
    loops[`count${i}`] = batches[i]?.count ?? 1
    loops[`leftStep${i}`] = batches[i]?.leftStep ?? 0
    loops[`rightStep${i}`] = batches[i]?.rightStep ?? 0
    loops[`outputStep${i}`] = batches[i]?.outputStep ?? 0
  }
  const products = batches.reduce((total, { count }) => total * count, 1)
  const words = {
    left: at(left),
    right: at(right),
    output: at(output),
    leftImage: imageWords(left),
    rightImage: imageWords(right),
    outputImage: imageWords(output),
    leftSize: sizeOf(left),
    rightSize: sizeOf(right),
    outputSize: sizeOf(output),
    leftStart: instruction.leftStart,
    rightStart: instruction.rightStart,
    outputStart: instruction.outputStart,
    products,
    rows,
    inner,
    columns,
    leftRow: instruction.leftSteps.row,
    leftInner: instruction.leftSteps.inner,
    rightInner: instruction.rightSteps.inner,
    rightColumn: instruction.rightSteps.column,
    outputRow: instruction.outputSteps.row,
    leftZeroPoint: instruction.leftZeroPoint,
    rightZeroPoint: instruction.rightZeroPoint,
    multiplier: instruction.multiplier,
    shift: instruction.shift,
    leftShift: instruction.leftShift,
    outputZeroPoint: instruction.outputZeroPoint,
    low: clamp.low,
    high: clamp.high,
    ...loops,
  }
  const operands = tileOperands(instruction)
  return operands !== undefined && products <= MOST_PRODUCTS && columns <= MOST_COLUMNS
    ? dispatchTiles(productFamily(operands), name, [columns, rows, products], words)
    : dispatchThreads('product', name, products * rows * Math.ceil(columns / 4), words)
}

/** What tiles must know of the operands; nothing where the codes do not lie as tiles read and write them. */
function tileOperands(instruction: ProductInstruction): ProductOperands | undefined {
  const { left, right, output, leftStart, rightStart, outputStart, leftSteps, rightSteps, outputSteps } = instruction
  const whole = ({ format }: IntegerTensor, steps: readonly number[]): boolean =>
    steps.every((step) => (step * elementBytes(format)) % UNIT === 0)
  const along = rightSteps.inner === 1 ? 'rows' : 'columns'
  const [side, across] = along === 'rows' ? [1, rightSteps.column] : [rightSteps.column, rightSteps.inner]
  const aligned =
    leftSteps.inner === 1 &&
    side === 1 &&
    outputSteps.column === 1 &&
    whole(left, [leftStart, leftSteps.row, ...instruction.batches.map((loop) => loop.leftStep)]) &&
    whole(right, [rightStart, across, ...instruction.batches.map((loop) => loop.rightStep)]) &&
    // Eight codes are written at once, whatever their bytes.
    [outputStart, outputSteps.row, ...instruction.batches.map((loop) => loop.outputStep)].every(
      (step) => step % UNIT === 0,
    )
  if (!aligned || left.format === 's32' || right.format === 's32' || output.format === 's32') return undefined
  return { left: left.format === 's16' ? 16 : 8, right: right.format === 's16' ? 16 : 8, along }
}
