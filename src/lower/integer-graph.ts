/**
 * The integer graph: what is certified, printed and hashed. It holds integers only; scales are documentation.
 *
 * Tensors are stored NHWC with N = 1. The channel stride is the channel count rounded up to 8; what padding lanes
 * hold never reaches a result. Arithmetic is that of docs/arithmetic.md: rule numbers stand at each field.
 */
import type { Interval } from '../num/interval.ts'

/** How a stored tensor's integers are represented. */
export type StorageFormat = 's8' | 's32'

export interface IntegerTensor {
  readonly id: number
  /** Name of the graph value it stands for (the last one when operators were fused). */
  readonly name: string
  readonly format: StorageFormat
  readonly height: number
  readonly width: number
  readonly channels: number
  /** Real value = scale × (integer − zeroPoint). Only for the rim, the report and people. */
  readonly scale: number
  readonly zeroPoint: number
  /** Integers that can occur. */
  readonly range: Interval
}

/** A requantisation (R3): ((value << left) × multiplier + 2^(shift−1)) >> shift, 0 ≤ multiplier < 2^31, 32 ≤ shift ≤ 62. */
export interface Requantisation {
  /** One per output channel. */
  readonly multipliers: Int32Array
  readonly shift: number
  /** Almost always 0; the proof shows that value << left fits int32. */
  readonly left: number
}

/** A residual tensor added inside the convolution's one rounding (R4): ((r − zeroPoint) << left) × multiplier, same shift. */
export interface Residual {
  readonly input: IntegerTensor
  readonly zeroPoint: number
  readonly multiplier: number
  readonly left: number
}

export interface Window {
  readonly kernel: readonly [height: number, width: number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number]
}

/** What the interval proof found for one instruction (docs/arithmetic.md, proofs). */
export interface Bounds {
  /** Every partial sum of the accumulator, over all channels and all orders of summation. */
  readonly accumulator: Interval
  /** Accumulator plus bias: the value that is requantised. */
  readonly biased: Interval
  /** The requantised value before the clamp. */
  readonly requantised: Interval
}

interface InstructionBase {
  /** Name of the node it implements; unique. */
  readonly name: string
  readonly output: IntegerTensor
}

/** Program input → NHWC s8: u8 values are stored as value − 128. */
export interface ImportInstruction extends InstructionBase {
  readonly kind: 'import'
  readonly inputName: string
  readonly format: 'u8' | 's8'
  readonly layout: 'nchw' | 'nhwc'
}

/**
 * Convolution, also every dense layer (a kernel as large as its input). Weights are [output]
 * [kernelHeight][kernelWidth][input / groups]; the value used is weights − weightZeroPoints[output].
 */
export interface ConvolutionInstruction extends InstructionBase {
  readonly kind: 'convolution' | 'depthwise'
  readonly input: IntegerTensor
  readonly window: Window
  readonly groups: number
  /** Stored codes, within the weight format's range. */
  readonly weights: Int8Array
  /** Subtracted from each code of the output channel when the program starts. */
  readonly weightZeroPoints: Int16Array
  readonly weightFormat: string
  readonly bias: Int32Array
  /** One per input channel: subtracted from stored input values before anything else; padding therefore counts as 0. */
  readonly inputZeroPoints: Int16Array
  readonly requantisation: Requantisation
  readonly outputZeroPoint: number
  readonly clamp: Interval
  /** A tensor of the output's shape. */
  readonly residual?: Residual
  readonly bounds: Bounds
}

/** Two tensors to one scale with one rounding (R5): clamp(((a−za)·ma + (b−zb)·mb + 2^(shift−1)) >> shift + zo), all int32. */
export interface AddInstruction extends InstructionBase {
  readonly kind: 'add'
  readonly left: IntegerTensor
  readonly right: IntegerTensor
  readonly leftMultiplier: number
  readonly rightMultiplier: number
  readonly shift: number
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/** Largest stored value of each window; taps outside the tensor do not count. */
export interface MaxPoolInstruction extends InstructionBase {
  readonly kind: 'max-pool'
  readonly input: IntegerTensor
  readonly window: Window
}

/** Sum of (x − zero point) over each window, requantised by scale ratio / count (R6). Taps in padding add 0. */
export interface AveragePoolInstruction extends InstructionBase {
  readonly kind: 'average-pool'
  readonly input: IntegerTensor
  readonly window: Window
  readonly inputZeroPoint: number
  readonly multiplier: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/** A 256-entry table over s8 codes: output = table[input + 128] (R7). */
export interface TableInstruction extends InstructionBase {
  readonly kind: 'table'
  readonly input: IntegerTensor
  readonly table: Int8Array
}

/** Strided selection with padding: output[h][w][c] = input[h·stepH+startH]…, or the fill code outside (R8). */
export interface SelectInstruction extends InstructionBase {
  readonly kind: 'select'
  readonly input: IntegerTensor
  /** For height, width, channel: first source index, step, first destination index, count. */
  readonly axes: readonly [SelectAxis, SelectAxis, SelectAxis]
  readonly fill: number
}

export interface SelectAxis {
  readonly start: number
  readonly step: number
  readonly offset: number
  readonly count: number
}

/** Tensors side by side along one stored axis, all in the output's scale. */
export interface ConcatInstruction extends InstructionBase {
  readonly kind: 'concat'
  readonly inputs: readonly IntegerTensor[]
  readonly axis: 'height' | 'width' | 'channels'
}

/** NHWC tensor → program output, compact, in ONNX order. Values are stored value + offset (128 makes u8 of s8). */
export interface ExportInstruction {
  readonly kind: 'export'
  readonly name: string
  readonly input: IntegerTensor
  readonly outputName: string
  readonly format: 'u8' | 's8' | 's32'
  readonly layout: 'nchw' | 'nhwc'
}

export type Instruction =
  | ImportInstruction
  | ConvolutionInstruction
  | AddInstruction
  | MaxPoolInstruction
  | AveragePoolInstruction
  | TableInstruction
  | SelectInstruction
  | ConcatInstruction
  | ExportInstruction

/** One program input or output at the rim. */
export interface Port {
  readonly name: string
  /** ONNX shape. */
  readonly shape: readonly number[]
  readonly format: 'u8' | 's8' | 's32'
  readonly layout: 'nchw' | 'nhwc'
  /** Real value = scale[c] × (integer − zeroPoint[c]); one entry, or one per channel. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
}

export interface IntegerGraph {
  readonly name: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly tensors: readonly IntegerTensor[]
  /** In execution order: imports first, exports last. */
  readonly instructions: readonly Instruction[]
}
