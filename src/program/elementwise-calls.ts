/**
 * Element-by-element instructions as kernel calls: rules R5, R7, R9, R10, R11, R13, R14 and R20 of docs/arithmetic.md. The layouts
 * of constants are those that src/kernels/assembly/integer/{elementwise,magnitude,curve,softmax,resize}.ts read.
 */
import { channelStride, LANES } from '../kernels/scalar/geometry.ts'
import type {
  AddInstruction,
  CurveInstruction,
  Instruction,
  IntegerTensor,
  MagnitudeInstruction,
  MultiplyInstruction,
  RescaleInstruction,
  ResizeAxis,
  ResizeInstruction,
  SoftmaxInstruction,
  TableInstruction,
} from '../lower/integer-graph.ts'
import { encodeEpilogue } from './epilogue.ts'
import type { KernelCall } from './module.ts'

export type ElementwiseInstruction =
  | AddInstruction
  | TableInstruction
  | CurveInstruction
  | RescaleInstruction
  | MultiplyInstruction
  | MagnitudeInstruction
  | SoftmaxInstruction
  | ResizeInstruction

const KINDS: ReadonlySet<string> = new Set([
  'add',
  'table',
  'curve',
  'rescale',
  'multiply',
  'magnitude',
  'softmax',
  'resize',
])

/** Whether this file and src/program/interpret-elementwise.ts know the instruction. */
export function isElementwise(instruction: Instruction): instruction is ElementwiseInstruction {
  return KINDS.has(instruction.kind)
}

/** Addresses of an instruction's constants, in the order its calls take them. */
export function elementwiseConstants(
  instruction: ElementwiseInstruction,
  placeData: (values: Int8Array | Int16Array | Int32Array) => number,
): number[] {
  switch (instruction.kind) {
    case 'add':
    case 'multiply':
      return [placeData(encodeEpilogue({ ...instruction, wide: !isNarrow(instruction) }))]
    case 'magnitude':
      return [placeData(encodeEpilogue({ ...instruction, wide: true }))]
    case 'rescale':
      return [placeData(rescaleFactors(instruction)), placeData(encodeEpilogue({ ...instruction, wide: true }))]
    case 'table':
      return [placeData(rotated(instruction.table))]
    case 'curve': {
      const { knots, clamp } = instruction
      return [placeData(knots), placeData(new Int16Array(16).fill(clamp.low, 0, 8).fill(clamp.high, 8))]
    }
    case 'softmax': {
      const { coarse, fine, input } = instruction
      // Differences of 8-bit codes stay within the fine table. The kernel's tables go by codes, not by differences.
      const byCode = placeData(fine.toReversed())
      const factors = input.format === 's8' ? [0, byCode] : [placeData(coarse.toReversed()), byCode]
      return [...factors, placeData(encodeEpilogue({ ...instruction, shift: 31, wide: true }))]
    }
    case 'resize': {
      const { input, rows, columns } = instruction
      const pixel = channelStride(input.channels) * (input.format === 's16' ? 2 : 1)
      return [placeData(resizeSteps(rows, input.width * pixel)), placeData(resizeSteps(columns, pixel))]
    }
  }
}

/** Bytes of scratch memory: the exponentials of a pixel; 0 where none is needed. */
export function elementwiseScratch({ kind, output }: ElementwiseInstruction): number {
  return kind === 'softmax' ? channelStride(output.channels) * 2 : 0
}

/**
 * The kernel calls of one instruction; `constants` is what {@link elementwiseConstants} gave, `scratch` has
 * {@link elementwiseScratch} bytes.
 */
export function elementwiseCalls(
  instruction: ElementwiseInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall[] {
  const { output } = instruction
  switch (instruction.kind) {
    case 'add': {
      const { leftMultiplier, rightMultiplier, leftZeroPoint, rightZeroPoint, shift } = instruction
      const factors = [leftMultiplier, rightMultiplier, leftZeroPoint, rightZeroPoint, shift]
      return [binaryCall('add', 'addMixed', instruction, [...factors, constants[0]], at)]
    }
    case 'multiply': {
      const { leftZeroPoint, rightZeroPoint, multiplier, shift } = instruction
      const factors = [leftZeroPoint, rightZeroPoint, multiplier, shift - 32]
      return [binaryCall('multiply', 'multiplyMixed', instruction, [...factors, constants[0]], at)]
    }
    case 'magnitude': {
      const { left, right, leftZeroPoint, rightZeroPoint, leftShift, multiplier, shift } = instruction
      const size = [wide(left), wide(right), wide(output), codes(output)]
      const factors = [leftZeroPoint, rightZeroPoint, leftShift, multiplier, shift - 32]
      return [
        {
          kernel: 'magnitude',
          arguments: [at(left), at(right), at(output), ...size, ...factors, constants[0]],
        },
      ]
    }
    case 'rescale': {
      const { input, inputZeroPoint, shift } = instruction
      const step = isUniform(instruction) ? 0 : 8 * LANES
      return [
        {
          kernel: 'rescale',
          arguments: [
            at(input),
            at(output),
            wide(input),
            wide(output),
            ...(step === 0 ? [1, codes(output)] : [output.height * output.width, channelStride(output.channels)]),
            inputZeroPoint,
            constants[0],
            step,
            shift,
            constants[1],
          ],
        },
      ]
    }
    case 'table': {
      const kernel = instruction.table instanceof Int16Array ? 'lookUpWide' : 'lookUp'
      return [{ kernel, arguments: [at(instruction.input), at(output), constants[0], codes(output)] }]
    }
    case 'curve':
      return [
        {
          kernel: `curve${instruction.bits}${wide(output) ? '' : 'To8'}`,
          arguments: [
            at(instruction.input),
            at(output),
            codes(output),
            constants[0],
            instruction.unitBits ?? 0,
            constants[1],
          ],
        },
      ]
    case 'softmax': {
      const { input, one } = instruction
      const [coarse, fine, epilogue] = constants
      const size = [output.height * output.width, output.channels]
      return [
        {
          kernel: 'softmax',
          arguments: [
            at(input),
            at(output),
            wide(input),
            wide(output),
            ...size,
            ...[coarse, fine, one, scratch, epilogue],
          ],
        },
      ]
    }
    case 'resize': {
      const { input, bits } = instruction
      const size = [channelStride(output.channels), output.height, output.width]
      return [
        {
          kernel: 'resize',
          arguments: [at(input), at(output), wide(output), ...size, constants[0], constants[1], bits],
        },
      ]
    }
  }
}

/** Stored codes of a tensor, spare lanes included. */
function codes(tensor: IntegerTensor): number {
  return tensor.height * tensor.width * channelStride(tensor.channels)
}

function wide(tensor: IntegerTensor): 0 | 1 {
  return tensor.format === 's16' ? 1 : 0
}

/**
 * Whether the kernels of bytes apply, which compute in 16 bits what comes after the last shift, and differences of codes in
 * multiplications: any zero point that an 8-bit format can have.
 */
function isNarrow({
  left,
  right,
  output,
  leftZeroPoint,
  rightZeroPoint,
  outputZeroPoint,
}: AddInstruction | MultiplyInstruction): boolean {
  return (
    [left, right, output].every((tensor) => tensor.format === 's8') &&
    [leftZeroPoint, rightZeroPoint, outputZeroPoint].every((zeroPoint) => Math.abs(zeroPoint) <= 256)
  )
}

/** A call over whole tensors as one row, or row by row where one pixel on the right meets every pixel. */
function binaryCall(
  narrow: string,
  mixed: string,
  instruction: AddInstruction | MultiplyInstruction,
  last: readonly number[],
  at: (tensor: IntegerTensor) => number,
): KernelCall {
  const { left, right, output } = instruction
  const size =
    right.height * right.width === 1
      ? [output.height * output.width, channelStride(output.channels)]
      : [1, codes(output)]
  const addresses = [at(left), at(right), at(output)]
  return isNarrow(instruction)
    ? { kernel: narrow, arguments: [...addresses, ...size, ...last] }
    : { kernel: mixed, arguments: [...addresses, wide(left), wide(right), wide(output), ...size, ...last] }
}

function isUniform({ positive, negative }: RescaleInstruction): boolean {
  return positive.every((value) => value === positive[0]) && negative.every((value) => value === negative[0])
}

/** Blocks of eight positive and eight negative multipliers, one for every eight channels; one block where all are alike. */
function rescaleFactors(instruction: RescaleInstruction): Int32Array {
  const { positive, negative, output } = instruction
  const uniform = isUniform(instruction)
  const factors = new Int32Array(2 * (uniform ? LANES : channelStride(output.channels)))
  for (let at = 0; at < factors.length; at += 2 * LANES)
    for (let lane = 0; lane < LANES; lane++) {
      const channel = uniform ? 0 : at / 2 + lane
      if (channel >= output.channels) break
      factors[at + lane] = positive[channel]
      factors[at + LANES + lane] = negative[channel]
    }
  return factors
}

/** The kernels index by the code's byte as an unsigned number: codes 0..127 first, then −128..−1. */
function rotated(table: Int8Array | Int16Array): Int8Array | Int16Array {
  const copy = table.slice()
  copy.set(table.subarray(128))
  copy.set(table.subarray(0, 128), 128)
  return copy
}

/** Per output index: byte offsets of both sources, and the share of the second. */
function resizeSteps({ first, second, share }: ResizeAxis, step: number): Int32Array {
  const steps = new Int32Array(3 * first.length)
  for (let i = 0; i < first.length; i++) steps.set([first[i] * step, second[i] * step, share[i]], 3 * i)
  return steps
}
