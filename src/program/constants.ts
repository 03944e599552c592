/**
 * The constants of a program: weights, biases, multipliers, zero points, epilogues and tables, laid out from the bottom of
 * memory, and the start-up calls that widen the weights.
 */
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { ConvolutionInstruction, Instruction } from '../lower/integer-graph.ts'
import { align } from '../lower/memory.ts'
import { encodeEpilogue } from './epilogue.ts'
import type { DataSegment, KernelCall } from './module.ts'
import { type PackedWeights, packConvolution, packDepthwise, padChannels } from './pack.ts'

/** Zeros at address 0: shared zero points of symmetric weights. */
const ZERO_BLOCK_BYTES = 64

export interface PlacedConstants {
  /** Per instruction the addresses of its constants, in the order `callsOf` takes them. */
  readonly addresses: readonly (readonly number[])[]
  readonly start: readonly KernelCall[]
  readonly data: readonly DataSegment[]
  /** First byte behind the constants. */
  readonly end: number
  /** Bytes of weight codes in the module. */
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
  const placeData = (values: Int8Array | Int16Array | Int32Array): number => {
    const offset = place(values.byteLength)
    data.push({ offset, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) })
    return offset
  }
  const placeWeights = (packed: PackedWeights): number => {
    const zeroPoints = packed.zeroPointStep === 0 ? 0 : placeData(packed.zeroPoints)
    const region = place(packed.codes.length * 2)
    weightBytes += packed.codes.length
    data.push({
      offset: region + packed.codes.length,
      bytes: new Uint8Array(packed.codes.buffer, packed.codes.byteOffset, packed.codes.length),
    })
    start.push({
      kernel: 'unpackWeights',
      arguments: [region, packed.panels, packed.pairs, zeroPoints, packed.zeroPointStep],
    })
    return region
  }
  const addresses = instructions.map((instruction) => constantsOf(instruction, placeData, placeWeights))
  return { addresses, start, data, end, weightBytes }
}

/** Output channels per call of `convolve`: all of them, or one group's. */
export function groupsOf(instruction: ConvolutionInstruction): { first: number; channels: number }[] {
  const channels = instruction.output.channels / instruction.groups
  return Array.from({ length: instruction.groups }, (_, group) => ({ first: group * channels, channels }))
}

/** Addresses of an instruction's constants, in the order its calls take them. */
function constantsOf(
  instruction: Instruction,
  placeData: (values: Int8Array | Int16Array | Int32Array) => number,
  placeWeights: (packed: PackedWeights) => number,
): number[] {
  if (instruction.kind === 'table') {
    // The kernel indexes by the code's byte as an unsigned number: codes 0..127 first, then −128..−1.
    const table = new Int8Array(256)
    for (let byte = 0; byte < 256; byte++) table[byte] = instruction.table[((byte << 24) >> 24) + 128]
    return [placeData(table)]
  }
  if (instruction.kind === 'add' || instruction.kind === 'average-pool') return [placeData(encodeEpilogue(instruction))]
  if (instruction.kind !== 'convolution' && instruction.kind !== 'depthwise') return []
  const zeroPoints = new Int16Array(channelStride(instruction.input.channels))
  zeroPoints.set(instruction.inputZeroPoints)
  const { multipliers, shift } = instruction.requantisation
  const addresses = [
    placeData(zeroPoints),
    placeData(encodeEpilogue({ ...instruction, shift, wide: instruction.output.format === 's32' })),
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
