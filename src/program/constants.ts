/**
 * The constants of a program: weights, biases, multipliers, zero points, epilogues, tables and constant tensors, laid out
 * from the bottom of memory, and the start-up calls that widen the weights.
 */
import { allocateStored, channelStride } from '../kernels/scalar/geometry.ts'
import { storeConstant } from '../kernels/scalar/movement.ts'
import type { ConvolutionInstruction, Instruction } from '../lower/integer-graph.ts'
import { align } from '../lower/memory.ts'
import { elementwiseConstants, isElementwise } from './elementwise-calls.ts'
import { encodeEpilogue, epilogueLanes } from './epilogue.ts'
import { bytesOf, type Placeable, shareEqual } from './equal-constants.ts'
import type { DataSegment, KernelCall } from './module.ts'
import { type PackedWeights, packConvolution, packDepthwise, packNibbles, padChannels } from './pack.ts'
import { productConstants } from './product-calls.ts'
import { isRow, rowConstants } from './row-calls.ts'

/** Zeros at address 0: shared zero points of symmetric weights. */
const ZERO_BLOCK_BYTES = 64

export interface PlacedConstants {
  /** Per instruction the addresses of its constants, in the order `callsOf` takes them. */
  readonly addresses: readonly (readonly number[])[]
  /** Addresses of constant tensors by id. */
  readonly tensors: ReadonlyMap<number, number>
  readonly start: readonly KernelCall[]
  readonly data: readonly DataSegment[]
  /** First byte behind the constants. */
  readonly end: number
  /** Bytes of weight codes and of their groups' factors in the module. */
  readonly weightBytes: number
}

/** Places the constants of all instructions in order; addresses are multiples of 16. */
export function placeConstants(instructions: readonly Instruction[]): PlacedConstants {
  const data: DataSegment[] = []
  const start: KernelCall[] = []
  let end = ZERO_BLOCK_BYTES
  let weightBytes = 0
  const place = (bytes: number): number => {
    const offset = end
    end = align(end + bytes, 16)
    return offset
  }
  const placeBytes = (offset: number, values: Placeable): void => {
    data.push({ offset, bytes: bytesOf(values) })
  }
  const placeData = shareEqual((bytes) => {
    const offset = place(bytes.length)
    placeBytes(offset, bytes)
    return offset
  })
  const placeWeights = ({ panels, pairs, codes, narrow, scaling, ...packed }: PackedWeights): number => {
    const zeroPoints = packed.zeroPointStep === 0 ? 0 : placeData(packed.zeroPoints)
    const stored = narrow ? packNibbles(codes) : codes
    const region = place(codes.length * 2)
    placeBytes(region + codes.length * 2 - stored.byteLength, stored)
    weightBytes += stored.byteLength
    if (codes instanceof Int8Array)
      start.push({
        kernel: narrow ? 'unpackNibbles' : 'unpackWeights',
        arguments: [region, panels, pairs, zeroPoints, packed.zeroPointStep],
      })
    if (scaling !== undefined) {
      const { runs, length, factors, groups, size } = scaling
      weightBytes += factors.length
      start.push({
        kernel: 'scaleWeights',
        arguments: [region, panels, runs, length, placeData(factors), groups, size],
      })
    }
    return region
  }
  const tensors = new Map<number, number>()
  const addresses = instructions.map((instruction) => {
    if (instruction.kind !== 'constant') return constantsOf(instruction, placeData, placeWeights)
    const { format, height, width, channels, id } = instruction.output
    const stored = allocateStored(format, height, width, channels)
    storeConstant(instruction.codes, stored)
    tensors.set(id, placeData(stored.data))
    return []
  })
  return { addresses, tensors, start, data, end, weightBytes }
}

/** Output channels per call of `convolve`: all of them, or one group's. */
export function groupsOf(instruction: ConvolutionInstruction): { first: number; channels: number }[] {
  const channels = instruction.output.channels / instruction.groups
  return Array.from({ length: instruction.groups }, (_, group) => ({ first: group * channels, channels }))
}

/** Addresses of an instruction's constants, in the order its calls take them. */
function constantsOf(
  instruction: Instruction,
  placeData: (values: Placeable) => number,
  placeWeights: (packed: PackedWeights) => number,
): number[] {
  if (isElementwise(instruction)) return [...elementwiseConstants(instruction, placeData)]
  if (isRow(instruction)) return rowConstants(instruction, placeData)
  if (instruction.kind === 'product') return productConstants(instruction, placeData)
  if (instruction.kind === 'average-pool')
    return [placeData(encodeEpilogue({ ...instruction, ...epilogueLanes(instruction.output.format) }))]
  if (instruction.kind !== 'convolution' && instruction.kind !== 'depthwise') return []
  const zeroPoints = new Int16Array(channelStride(instruction.input.channels))
  zeroPoints.set(instruction.inputZeroPoints)
  const { multipliers, shift } = instruction.requantisation
  const addresses = [
    placeData(zeroPoints),
    placeData(encodeEpilogue({ ...instruction, shift, ...epilogueLanes(instruction.output.format) })),
  ]
  if (instruction.kind === 'depthwise') {
    const channels = instruction.output.channels
    addresses.push(
      placeWeights(packDepthwise(instruction)),
      placeData(padChannels(instruction.bias, 0, channels)),
      placeData(padChannels(multipliers, 0, channels)),
      placeData(depthwiseTapOffsets(instruction)),
    )
  } else
    for (const { first, channels } of groupsOf(instruction))
      addresses.push(
        placeWeights(packConvolution(instruction, first, channels)),
        placeData(padChannels(instruction.bias, first, channels)),
        placeData(padChannels(multipliers, first, channels)),
      )
  return addresses
}

/** Byte offsets of the taps from the first one, in pairs. */
function depthwiseTapOffsets(instruction: ConvolutionInstruction): Int32Array {
  const { kernel, dilations, pads } = instruction.window
  const pixel = instruction.input.channels * 2
  const row = (pads[1] + instruction.input.width + pads[3]) * pixel
  const offsets: number[] = []
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++) offsets.push(i * dilations[0] * row + j * dilations[1] * pixel)
  if (offsets.length % 2 === 1) offsets.push(offsets[offsets.length - 1])
  return Int32Array.from(offsets)
}
