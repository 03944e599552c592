/**
 * Softmax and GELU of the families as kernel calls: rules R17 and R18 of docs/arithmetic.md, for the kernels of
 * src/kernels/assembly/integer/{family-softmax,shift-gelu}.ts.
 */
import { exponentialBelow, type ShiftExponential } from '../kernels/scalar/family-exponential.ts'
import { channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import type { FamilySoftmaxInstruction, IntegerTensor, ShiftGeluInstruction } from '../lower/integer-graph.ts'
import { encodeEpilogue } from './epilogue.ts'
import type { Placeable } from './equal-constants.ts'
import { geluExponential, softmaxExponential } from './family-integers.ts'
import type { KernelCall } from './module.ts'

export type FamilyInstruction = FamilySoftmaxInstruction | ShiftGeluInstruction

/** Bytes of scratch memory: the exponentials of a row, or the codes of every byte. */
export function familyScratch(instruction: FamilyInstruction): number {
  return instruction.kind === 'shift-gelu' ? 512 : channelStride(instruction.input.channels) * 4
}

/** Addresses of an instruction's constants, in the order its calls take them. */
export function familyConstants(instruction: FamilyInstruction, placeData: (values: Placeable) => number): number[] {
  if (instruction.kind === 'shift-gelu') return []
  const epilogue = placeData(encodeEpilogue({ ...instruction, shift: 32, wide: true }))
  if (instruction.input.format !== 's8') return [epilogue]
  const exponential = softmaxExponential(instruction)
  return [
    epilogue,
    placeData(Int32Array.from({ length: 256 }, (_, distance) => exponentialBelow(distance, exponential))),
  ]
}

/** The kernel call of one instruction; `constants` is what {@link familyConstants} gave. */
export function familyCall(
  instruction: FamilyInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall {
  return instruction.kind === 'shift-gelu'
    ? geluCall(instruction, at, scratch)
    : softmaxCall(instruction, constants, at, scratch)
}

function softmaxCall(
  instruction: FamilySoftmaxInstruction,
  [epilogue, table]: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall {
  const { input, output, bits } = instruction
  const exponential = softmaxExponential(instruction)
  const wide = elementBytes(output.format) - 1
  const size = [at(input), at(output), wide, output.height * output.width, output.channels]
  const last = [32 - bits, scratch, epilogue]
  if (input.format === 's8')
    return { kernel: 'softmaxByTable', arguments: [...size, table, exponential.kind === 'poly' ? 1 : 0, ...last] }
  if (exponential.kind === 'shift')
    return { kernel: 'softmaxByShifts', arguments: [...size, ...shiftArguments(exponential), ...last] }
  const { unit, linear, constant, multiplier, shift } = exponential
  return { kernel: 'softmaxByParabola', arguments: [...size, unit, linear, constant, multiplier, shift, ...last] }
}

function shiftArguments({ unit, places, exactHalf }: ShiftExponential): number[] {
  return [unit, places, exactHalf ? -1 : -2]
}

function geluCall(
  instruction: ShiftGeluInstruction,
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall {
  const { input, output, inputZeroPoint, bits, multiplier, shift, outputZeroPoint, clamp } = instruction
  const { unit, exactHalf } = geluExponential(instruction)
  return {
    kernel: 'shiftGelu',
    arguments: [
      at(input),
      at(output),
      elementBytes(input.format) - 1,
      elementBytes(output.format) - 1,
      output.height * output.width,
      output.channels,
      inputZeroPoint,
      unit,
      exactHalf ? -1 : -2,
      32 - bits,
      multiplier,
      shift,
      outputZeroPoint,
      clamp.low,
      clamp.high,
      scratch,
    ],
  }
}
