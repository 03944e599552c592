/** Instructions over the channels of each pixel as dispatches: softmax, normalisation and GELU, also of the families (R13, R16 to R18). */
import { LONG_ROW } from '../kernels/gpu/rows.ts'
import { exponentialBelow, type FamilyExponential } from '../kernels/scalar/family-exponential.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import type {
  FamilySoftmaxInstruction,
  IntegerTensor,
  NormalizeInstruction,
  ShiftGeluInstruction,
  SoftmaxInstruction,
} from '../lower/integer-graph.ts'
import type { Interval } from '../num/interval.ts'
import { geluExponential, softmaxExponential } from '../program/family-integers.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import type { GpuConstants } from './constants.ts'
import { type AddressOf, padded, sizeOf } from './convolution-dispatch.ts'
import { dispatchThreads } from './dispatch.ts'

export type ChannelInstruction =
  | SoftmaxInstruction
  | NormalizeInstruction
  | FamilySoftmaxInstruction
  | ShiftGeluInstruction

/** As the kernels of src/kernels/gpu/{family-normalize,family-softmax}.ts number them. */
const RULES = { poly: 0, shift: 1, 'shift-deployment': 2 } as const
const KINDS = { table: 0, shift: 1, poly: 2 } as const
/** Fours of codes that a thread takes before more threads share a row: fewer help single images, more help batches. */
const FOURS_PER_THREAD = 3
const MOST_LANE_BITS = { short: 6, long: 8 } as const

/** The dispatch of one instruction. Throws `refused` for a scale that its family does not take. */
export function channelDispatch(instruction: ChannelInstruction, constants: GpuConstants, at: AddressOf): GpuDispatch {
  switch (instruction.kind) {
    case 'softmax':
      return rowDispatch('softmax', instruction, at, {
        coarse: constants.place(instruction.coarse),
        fine: constants.place(instruction.fine),
        one: instruction.one,
      })
    case 'normalize':
      return normalizeDispatch(instruction, constants, at)
    case 'family-softmax':
      return familySoftmaxDispatch(instruction, constants, at)
    case 'shift-gelu': {
      const { unit, places, exactHalf } = geluExponential(instruction)
      return rowDispatch('shift-gelu', instruction, at, {
        inputZeroPoint: instruction.inputZeroPoint,
        unit,
        places,
        exactHalf: exactHalf ? 1 : 0,
        bits: instruction.bits,
        multiplier: instruction.multiplier,
        shift: instruction.shift,
      })
    }
  }
}

interface Rows {
  readonly name: string
  readonly input: IntegerTensor
  readonly output: IntegerTensor
  readonly outputZeroPoint: number
  readonly clamp: Interval
}

/** A power of two of neighbouring threads for each row. */
function rowDispatch(
  family: string,
  { name, input, output, outputZeroPoint, clamp }: Rows,
  at: AddressOf,
  words: Readonly<Record<string, number>>,
): GpuDispatch {
  const { channels } = output
  const pixels = output.height * output.width
  const long = channels > LONG_ROW
  const wanted = Math.ceil(Math.log2(Math.ceil(channels / (4 * FOURS_PER_THREAD))))
  const laneBits = Math.min(wanted, long ? MOST_LANE_BITS.long : MOST_LANE_BITS.short)
  return dispatchThreads(long ? `${family}-long` : family, name, pixels * 2 ** laneBits, {
    input: at(input),
    output: at(output),
    pixels,
    channels,
    stride: channelStride(channels),
    laneBits,
    inputSize: sizeOf(input),
    outputSize: sizeOf(output),
    outputZeroPoint,
    ...clamp,
    ...words,
  })
}

function normalizeDispatch(instruction: NormalizeInstruction, constants: GpuConstants, at: AddressOf): GpuDispatch {
  const { rule, epsilon, output } = instruction
  const stride = channelStride(output.channels)
  const words = {
    inputZeroPoint: instruction.inputZeroPoint,
    centred: instruction.centred ? 1 : 0,
    multipliers: constants.place(padded(instruction.multipliers, stride)),
    biases: constants.place(padded(instruction.biases, stride)),
    shift: instruction.shift,
  }
  if (rule !== 'exact')
    return rowDispatch('family-normalize', instruction, at, {
      ...words,
      rule: RULES[rule],
      squareShift: instruction.squareShift,
    })
  return rowDispatch('normalize', instruction, at, {
    ...words,
    epsilonLow: epsilon % 2 ** 32,
    epsilonHigh: Math.floor(epsilon / 2 ** 32),
    fractionBits: instruction.fractionBits,
  })
}

/** Words of an exponential; those that its kind does not have are 0. */
function exponentialWords(exponential: FamilyExponential): Readonly<Record<string, number>> {
  const { kind, unit } = exponential
  const none = { unit, places: 0, exactHalf: 0, linear: 0, constantTerm: 0, multiplier: 0, multiplierShift: 0 }
  if (kind === 'shift') return { ...none, places: exponential.places, exactHalf: exponential.exactHalf ? 1 : 0 }
  const { linear, constant, multiplier, shift } = exponential
  return { ...none, linear, constantTerm: constant, multiplier, multiplierShift: shift }
}

function familySoftmaxDispatch(
  instruction: FamilySoftmaxInstruction,
  constants: GpuConstants,
  at: AddressOf,
): GpuDispatch {
  const exponential = softmaxExponential(instruction)
  const bytes = instruction.input.format === 's8'
  const table = Int32Array.from({ length: bytes ? 256 : 0 }, (_, distance) => exponentialBelow(distance, exponential))
  return rowDispatch('family-softmax', instruction, at, {
    kind: KINDS[bytes ? 'table' : exponential.kind],
    shifts: exponential.kind === 'shift' ? 1 : 0,
    table: bytes ? constants.place(table) : 0,
    bits: instruction.bits,
    ...exponentialWords(exponential),
  })
}
