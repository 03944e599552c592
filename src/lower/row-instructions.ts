/**
 * Instructions of the integer graph over whole rows and matrices: softmax, normalisation, GELU over rows, products of computed
 * matrices, look-ups and lengths. Rule numbers of docs/arithmetic.md stand at each.
 */
import type { Interval } from '../num/interval.ts'
import type { Bounds, InstructionBase, IntegerTensor } from './stored-tensor.ts'

/**
 * Softmax over the channels of each pixel (R13): with d = max − x, e = (coarse[d >> 8]·fine[d & 255] + 2^14) >> 15 and
 * r = floor(one·2^31 / Σe) the output is clamp(((e·r + 2^30) >> 31) + zero point). At most 65,536 channels; e·r < 2^46.
 */
export interface SoftmaxInstruction extends InstructionBase {
  readonly kind: 'softmax'
  /** s8 or s16. */
  readonly input: IntegerTensor
  /** round(2^15·exp(−256·i·scale)) and round(2^15·exp(−i·scale)), 256 entries each. */
  readonly coarse: Int32Array
  readonly fine: Int32Array
  /** Output codes of probability 1: round(1 / output scale), at most 2^15. */
  readonly one: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
}

/** One loop over products of their own (batches, heads); steps count stored elements. */
export interface ProductLoop {
  readonly count: number
  readonly leftStep: number
  readonly rightStep: number
  readonly outputStep: number
}

/**
 * Products of two computed matrices (R15), for each combination of `batches`: output[m][n] = clamp(R3(Σk (left[m][k] − zl)·
 * (right[k][n] − zr)) + zo), int32 sums over all k, no order. Elements lie at start + Σ loops + row·… + inner·… stored
 * elements; operands have 8 or 16 bits, the output too.
 */
export interface ProductInstruction extends InstructionBase {
  readonly kind: 'product'
  readonly left: IntegerTensor
  readonly right: IntegerTensor
  readonly leftStart: number
  readonly rightStart: number
  readonly outputStart: number
  /** Outermost first; empty for one product. */
  readonly batches: readonly ProductLoop[]
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly leftSteps: { readonly row: number; readonly inner: number }
  readonly rightSteps: { readonly inner: number; readonly column: number }
  /** `column` is 1: columns lie side by side; they are a multiple of 8 or end at the end of a pixel's channels. */
  readonly outputSteps: { readonly row: number; readonly column: 1 }
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  /** One multiplier for all columns. */
  readonly multiplier: number
  readonly shift: number
  readonly leftShift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/** How the deviation of a row is found and divided by (R16): exactly, as I-ViT does (two variants), or as I-BERT does. */
export type NormalizeRule = 'exact' | 'shift' | 'shift-deployment' | 'poly'

/**
 * Normalisation of the channels of each pixel (R16): n[c], the normalised value in units of 2^−fractionBits (rule `exact`) or
 * √C / 2^30 (the others), then clamp(((n[c]·multipliers[c] >> 32) + biases[c] + 2^(shift−33)) >> (shift − 32)) + zero point).
 */
export interface NormalizeInstruction extends InstructionBase {
  readonly kind: 'normalize'
  /** s8 or s16; at most 32,767 channels. */
  readonly input: IntegerTensor
  /** Matters only where the mean stays in; codes minus it fit 16 bits then. */
  readonly inputZeroPoint: number
  /** Whether the mean is taken out (LayerNormalization) or stays in (RMSNormalization). */
  readonly centred: boolean
  readonly rule: NormalizeRule
  /** C²·ε / input scale², rounded; of the rule `exact`, 0 for the others. Below 2^53. */
  readonly epsilon: number
  /** 30 − ⌈log2(C) / 2⌉ of the rule `exact`, 0 for the others. */
  readonly fractionBits: number
  /** Right shift of centred values before they are squared, of the rule `poly`; 0 for the others. */
  readonly squareShift: number
  /** Signed, one per channel; below 2^31 in magnitude. */
  readonly multipliers: Int32Array
  /** One per channel, in units of 2^(32 − shift) output codes; |bias| ≤ 2^30. */
  readonly biases: Int32Array
  /** 33 to 62. */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
}

/**
 * Softmax over the channels of each pixel by Shiftmax of I-ViT, two variants, or by I-BERT (R17). At most 65,536 channels. A
 * result is a code: of scale 2^(1 − bits) by shifts, 2^−bits by `poly`.
 */
export interface FamilySoftmaxInstruction extends InstructionBase {
  readonly kind: 'family-softmax'
  /** s8 or s16. */
  readonly input: IntegerTensor
  readonly rule: 'shift' | 'shift-deployment' | 'poly'
  /**
   * Real scale of the input, from which the integers of the rule follow (src/program/family-integers.ts): from about 2^−16 by
   * shifts, 2^−15 as deployed, 2^−15.2 … 0.6931 by `poly`.
   */
  readonly scale: number
  /** 2 … 16: results lie in 0 … 2^(bits − 1) by shifts, 0 … 2^bits by `poly`. */
  readonly bits: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
}

/** ShiftGELU of I-ViT over the channels of each pixel (R18): R3(x·σ) with the integers of src/functions/shift-gelu.ts. */
export interface ShiftGeluInstruction extends InstructionBase {
  readonly kind: 'shift-gelu'
  /** s8 or s16. */
  readonly input: IntegerTensor
  readonly inputZeroPoint: number
  readonly variant: 'training' | 'deployment'
  /** Real scale of the input, from which the integers follow; 1 / (255 × 1.702) or more. */
  readonly scale: number
  /** k, 2 … 16: the sigmoid lies in 0 … 2^(k−1). */
  readonly bits: number
  readonly multiplier: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}

/**
 * Rows of a constant table chosen by computed indices (R19): output pixel i is table[clamp(index i, 0, entries − 1)]. Index i
 * is stored element i·indexStep of an s32 tensor.
 */
export interface LookupInstruction extends InstructionBase {
  readonly kind: 'lookup'
  readonly input: IntegerTensor
  readonly indexStep: number
  readonly entries: number
  /** [entries][channels], compact, in the output's format. */
  readonly codes: Int8Array | Int16Array
}

/** Length of a vector of two (R20): clamp(R3(floor(√((a − za)² + (b − zb)²))) + zo); differences fit 16 bits, the sum 32 unsigned. Operands have the output's size. */
export interface MagnitudeInstruction extends InstructionBase {
  readonly kind: 'magnitude'
  readonly left: IntegerTensor
  readonly right: IntegerTensor
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  readonly multiplier: number
  readonly shift: number
  /** Left shift of the length before it is requantised; the shifted length fits int32. */
  readonly leftShift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  readonly bounds: Bounds
}
