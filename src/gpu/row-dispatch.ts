/** Products of computed matrices and look-ups as dispatches (R15, R19). */
import { DyadicError, quoted } from '../error.ts'
import { MOST_BATCHES } from '../kernels/gpu/product.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { LookupInstruction, ProductInstruction } from '../lower/integer-graph.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import type { GpuConstants } from './constants.ts'
import { type AddressOf, imageWords, sizeOf } from './convolution-dispatch.ts'
import { dispatchThreads } from './dispatch.ts'

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
  return dispatchThreads('product', name, products * rows * Math.ceil(columns / 4), {
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
  })
}

export function lookupDispatch(
  { name, input, output, indexStep, entries, codes }: LookupInstruction,
  constants: GpuConstants,
  at: AddressOf,
): GpuDispatch {
  const { channels } = output
  const stride = channelStride(channels)
  const pixels = output.height * output.width
  const rows = output.format === 's8' ? new Int8Array(entries * stride) : new Int16Array(entries * stride)
  for (let entry = 0; entry < entries; entry++)
    rows.set(codes.subarray(entry * channels, (entry + 1) * channels), entry * stride)
  return dispatchThreads('lookup', name, (pixels * stride) / 4, {
    input: at(input),
    output: at(output),
    inputImage: imageWords(input),
    pixels,
    stride,
    indexStep,
    entries,
    size: sizeOf(output),
    table: constants.place(rows),
  })
}
