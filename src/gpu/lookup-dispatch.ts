/** Look-ups as dispatches (R19). */
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { LookupInstruction } from '../lower/integer-graph.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import type { GpuConstants } from './constants.ts'
import { type AddressOf, imageWords, sizeOf } from './convolution-dispatch.ts'
import { dispatchThreads } from './dispatch.ts'

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
