/** What every instruction of the integer graph has: its output, a stored tensor, and the bounds that were proven. */
import type { Interval } from '../num/interval.ts'

/** How a stored tensor's integers are represented. `s32`: written by convolutions and read by exports, or indices of lookups. */
export type StorageFormat = 's8' | 's16' | 's32'

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

/** What the interval proof found for one instruction (docs/arithmetic.md, proofs). */
export interface Bounds {
  /** Every partial sum of the accumulator, over all channels and all orders of summation. */
  readonly accumulator: Interval
  /** Accumulator plus bias: the value that is requantised. */
  readonly biased: Interval
  /** The requantised value before the clamp. */
  readonly requantised: Interval
}

export interface InstructionBase {
  /** Name of the node it implements; unique. */
  readonly name: string
  readonly output: IntegerTensor
}
