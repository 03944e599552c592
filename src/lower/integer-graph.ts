/**
 * The integer graph: what is certified, printed and hashed. It holds integers only; scales are documentation.
 *
 * Tensors are stored NHWC with N = 1. The channel stride is the channel count rounded up to 8; what padding lanes
 * hold never reaches a result. Arithmetic is that of docs/arithmetic.md: rule numbers stand at each field.
 */
import type { Interval } from '../num/interval.ts'
import type {
  FamilySoftmaxInstruction,
  LookupInstruction,
  MagnitudeInstruction,
  NormalizeInstruction,
  ProductInstruction,
  ShiftGeluInstruction,
  SoftmaxInstruction,
} from './row-instructions.ts'
import type { Bounds, InstructionBase, IntegerTensor } from './stored-tensor.ts'

export type {
  FamilySoftmaxInstruction,
  LookupInstruction,
  MagnitudeInstruction,
  NormalizeInstruction,
  NormalizeRule,
  ProductInstruction,
  ProductLoop,
  ShiftGeluInstruction,
  SoftmaxInstruction,
} from './row-instructions.ts'
export type { Bounds, IntegerTensor, StorageFormat } from './stored-tensor.ts'

/** A requantisation (R3): ((value << left) × multiplier + 2^(shift−1)) >> shift, 0 ≤ multiplier < 2^31, 32 ≤ shift ≤ 62. */
export interface Requantisation {
  /** One per output channel. */
  readonly multipliers: Int32Array
  readonly shift: number
  /** Almost always 0; the proof shows that value << left fits int32. */
  readonly left: number
}

/**
 * A residual tensor added inside the convolution's one rounding (R4): ((r − zeroPoint) << left) × multiplier, same shift. It
 * has the output's format, s8 or s16.
 */
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

/** Program input → NHWC: u8 values are stored as s8, value − 128; s8, s16 and s32 as they are. Only lookups read s32. */
export interface ImportInstruction extends InstructionBase {
  readonly kind: 'import'
  readonly inputName: string
  readonly format: PortFormat
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
  /** Stored codes, within the weight format's range: in words where the format has more than 8 bits. */
  readonly weights: Int8Array | Int16Array
  /**
   * Integer factors of groups of weights: code − zero point is multiplied by its group's factor when the program starts
   * (R12). A group is `size` consecutive weights of one output channel in the order stored here; the last may be shorter.
   */
  readonly weightGroups?: WeightGroups
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

/** Factors 1…255 of groups of weights: [output][group]. */
export interface WeightGroups {
  readonly size: number
  readonly factors: Uint8Array
}

/**
 * Two tensors of 8 or 16 bits to one scale with one rounding (R5): clamp(((a−za)·ma + (b−zb)·mb + 2^(shift−1)) >> shift + zo),
 * all int32; multipliers may be negative. The right operand has the output's size, or is one pixel that meets every pixel.
 */
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

/** A 256-entry table over s8 codes: output = table[input + 128] (R7). The output has the table's width. */
export interface TableInstruction extends InstructionBase {
  readonly kind: 'table'
  readonly input: IntegerTensor
  readonly table: Int8Array | Int16Array
}

/**
 * A function of 16-bit codes by straight pieces of 2^bits codes (R9): with u = x + 32768, i = u >> bits, f = u mod 2^bits the
 * output is clamp((knots[i]·(2^bits − f) + knots[i+1]·f + 2^(bits−1−g)) >> (bits − g)), where knots count in units of 2^g
 * codes, g = `unitBits`. 65536 / 2^bits + 1 knots.
 */
export interface CurveInstruction extends InstructionBase {
  readonly kind: 'curve'
  /** s16. */
  readonly input: IntegerTensor
  readonly knots: Int16Array
  /** 1 to 7. */
  readonly bits: number
  /** Absent means 0; less than `bits`. */
  readonly unitBits?: 0 | 1
  readonly clamp: Interval
}

/**
 * Another scale, by channel and sign (R10): m is `positive` where x ≥ zero point, else `negative`;
 * clamp((((x − zero point)·m[c] + 2^(shift−1)) >> shift) + output zero point), all int32. Multipliers may be negative.
 */
export interface RescaleInstruction extends InstructionBase {
  readonly kind: 'rescale'
  readonly input: IntegerTensor
  readonly inputZeroPoint: number
  /** One per channel. */
  readonly positive: Int32Array
  readonly negative: Int32Array
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/**
 * Product of two tensors (R11): clamp(requantize((a − za)·(b − zb)) + zo) with `multiplier` and `shift` of R3; the product
 * fits int32. The right operand has the output's size, or is one pixel that meets every pixel.
 */
export interface MultiplyInstruction extends InstructionBase {
  readonly kind: 'multiply'
  readonly left: IntegerTensor
  readonly right: IntegerTensor
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  readonly multiplier: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/** One loop of a strided copy; steps count stored elements. */
export interface Loop {
  readonly count: number
  readonly sourceStep: number
  readonly targetStep: number
}

/** A strided copy out of one tensor: element by element over all loops, the first is the outermost. */
export interface MoveSource {
  readonly input: IntegerTensor
  /** Stored element that the first copy reads, and the one it writes. */
  readonly sourceStart: number
  readonly targetStart: number
  readonly loops: readonly Loop[]
}

/**
 * Codes to other places (R8): selection, padding, joining, transposing, repeating. Everything no source writes holds
 * `fill` where it is given. Inputs have the output's format.
 */
export interface MoveInstruction extends InstructionBase {
  readonly kind: 'move'
  readonly sources: readonly MoveSource[]
  readonly fill?: number
}

/** What a resized axis reads for each output index: source elements `first` and `second`, and the share of `second` in 1/2^bits. */
export interface ResizeAxis {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly share: Int32Array
}

/**
 * Linear interpolation along height, then width, with one rounding (R14): the sum of four codes with weights that add up to
 * 2^(2·bits), + 2^(2·bits − 1), >> 2·bits. Scale and zero point stay.
 */
export interface ResizeInstruction extends InstructionBase {
  readonly kind: 'resize'
  readonly input: IntegerTensor
  readonly rows: ResizeAxis
  readonly columns: ResizeAxis
  /** At most 7, so that everything fits int32. */
  readonly bits: number
}

/** A tensor that is known at compile time: codes [height][width][channels], compact. Costs nothing at run time. */
export interface ConstantInstruction extends InstructionBase {
  readonly kind: 'constant'
  readonly codes: Int8Array | Int16Array
}

/**
 * Stored tensor → program output, compact, in ONNX order: the loops run over the output in that order, outermost first.
 * `u8` values are stored value + 128.
 */
export interface ExportInstruction {
  readonly kind: 'export'
  readonly name: string
  readonly input: IntegerTensor
  readonly outputName: string
  readonly format: PortFormat
  /** Stored element that is read first. */
  readonly start: number
  readonly loops: readonly ExportLoop[]
}

/** One loop of an export; the step counts stored elements. */
export interface ExportLoop {
  readonly count: number
  readonly step: number
}

export type Instruction =
  | ImportInstruction
  | ConvolutionInstruction
  | AddInstruction
  | MaxPoolInstruction
  | AveragePoolInstruction
  | TableInstruction
  | CurveInstruction
  | RescaleInstruction
  | MultiplyInstruction
  | SoftmaxInstruction
  | ProductInstruction
  | NormalizeInstruction
  | FamilySoftmaxInstruction
  | ShiftGeluInstruction
  | LookupInstruction
  | MagnitudeInstruction
  | MoveInstruction
  | ResizeInstruction
  | ConstantInstruction
  | ExportInstruction

/** Integers at the rim: bytes, 16-bit or 32-bit words. */
export type PortFormat = 'u8' | 's8' | 's16' | 's32'

/** One program input or output at the rim. */
export interface Port {
  readonly name: string
  /** ONNX shape. */
  readonly shape: readonly number[]
  readonly format: PortFormat
  readonly layout: 'nchw' | 'nhwc'
  /** Integers that an input may hold, where they are fewer than the format's: indices of a table. */
  readonly range?: Interval
  /** ONNX dimension that the channels of `scale` and `zeroPoint` run along (absent: 1). */
  readonly channelAxis?: number
  /** Real value = scale[c] × (integer − zeroPoint[c]); one entry, or one per channel. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  /** Of an input: the output whose integers it takes at the next step of a sequence. At the first step they mean zero. */
  readonly state?: string
}

export interface IntegerGraph {
  readonly name: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly tensors: readonly IntegerTensor[]
  /** In execution order: imports first, exports last. */
  readonly instructions: readonly Instruction[]
}
