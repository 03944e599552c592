/**
 * Instructions over whole rows of channels as kernel calls: R16 to R19 of docs/arithmetic.md. The layouts of constants are
 * those that src/kernels/assembly/integer/{normalize,family-normalize,lookup}.ts read.
 */
import { allocateStored, channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import { storeConstant } from '../kernels/scalar/movement.ts'
import type { Instruction, IntegerTensor, LookupInstruction, NormalizeInstruction } from '../lower/integer-graph.ts'
import { encodeEpilogue } from './epilogue.ts'
import type { Placeable } from './equal-constants.ts'
import { type FamilyInstruction, familyCall, familyConstants, familyScratch } from './family-calls.ts'
import type { KernelCall } from './module.ts'
import { padChannels } from './pack.ts'

export type RowInstruction = NormalizeInstruction | LookupInstruction | FamilyInstruction

const KINDS: ReadonlySet<string> = new Set(['normalize', 'lookup', 'family-softmax', 'shift-gelu'])
/** How `normalizeByFamily` numbers its rules. */
const RULES = { poly: 0, shift: 1, 'shift-deployment': 2 } as const

/** Whether this file and src/program/interpret-rows.ts know the instruction. */
export function isRow(instruction: Instruction): instruction is RowInstruction {
  return KINDS.has(instruction.kind)
}

/** Bytes of scratch memory; 0 where none is needed. */
export function rowScratch(instruction: RowInstruction): number {
  return isFamily(instruction) ? familyScratch(instruction) : 0
}

function isFamily(instruction: RowInstruction): instruction is FamilyInstruction {
  return instruction.kind === 'family-softmax' || instruction.kind === 'shift-gelu'
}

/** Addresses of an instruction's constants, in the order its calls take them. */
export function rowConstants(instruction: RowInstruction, placeData: (values: Placeable) => number): number[] {
  if (isFamily(instruction)) return familyConstants(instruction, placeData)
  if (instruction.kind === 'lookup') return [placeData(storedTable(instruction))]
  const { multipliers, biases, shift, output } = instruction
  const rounding = 2 ** (shift - 33)
  return [
    placeData(padChannels(multipliers, 0, output.channels)),
    placeData(
      padChannels(
        biases.map((bias) => bias + rounding),
        0,
        output.channels,
      ),
    ),
    placeData(encodeEpilogue({ ...instruction, wide: true })),
  ]
}

/** The kernel call of one instruction; `constants` is what {@link rowConstants} gave. */
export function rowCall(
  instruction: RowInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall {
  if (isFamily(instruction)) return familyCall(instruction, constants, at, scratch)
  if (instruction.kind === 'normalize') return normalizeCall(instruction, constants, at)
  const { input, output, indexStep, entries } = instruction
  const row = channelStride(output.channels) * elementBytes(output.format)
  const pixels = output.height * output.width
  return {
    kernel: 'lookUpRows',
    arguments: [at(input), at(output), constants[0], pixels, indexStep * elementBytes(input.format), entries, row],
  }
}

function normalizeCall(
  instruction: NormalizeInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
): KernelCall {
  const { input, output, centred, rule, inputZeroPoint, epsilon, fractionBits, squareShift, shift } = instruction
  const [multipliers, biases, epilogue] = constants
  const exact = rule === 'exact'
  return {
    kernel: exact ? 'normalize' : 'normalizeByFamily',
    arguments: [
      at(input),
      at(output),
      elementBytes(input.format) - 1,
      elementBytes(output.format) - 1,
      output.height * output.width,
      output.channels,
      centred ? 1 : 0,
      centred ? 0 : inputZeroPoint,
      ...(exact ? [epsilon % 2 ** 32, Math.floor(epsilon / 2 ** 32), fractionBits] : [RULES[rule], squareShift]),
      multipliers,
      biases,
      shift - 32,
      epilogue,
    ],
  }
}

/** Rows of the table as pixels of the output are stored. */
function storedTable({ codes, entries, output }: LookupInstruction): Placeable {
  const stored = allocateStored(output.format, 1, entries, output.channels)
  storeConstant(codes, stored)
  return stored.data
}
