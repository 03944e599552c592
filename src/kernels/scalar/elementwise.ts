/**
 * The meaning of element-by-element kernels: rules R5 (addition), R7 (tables), R10 (rescaling), R11 (multiplication) and
 * R20 (length of a vector of two) of docs/arithmetic.md. They go over whole storage, padding lanes included; nothing reads what these come to hold.
 */
import { clamp, requantize } from '../../num/requantize.ts'
import { channelStride, type Stored } from './geometry.ts'
import { floorSquareRoot } from './square-root.ts'

/** A stored tensor of 8- or 16-bit codes. */
export type StoredCodes = Stored<Int8Array | Int16Array>

export interface AddParameters {
  readonly leftMultiplier: number
  readonly rightMultiplier: number
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  /** 1 … 31. */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/**
 * clamp((((a − za) × ma + (b − zb) × mb + 2^(shift−1)) >> shift) + zo); the proof keeps every step within int32. `right` has
 * the size of `output`, or is one pixel that meets every pixel.
 */
export function add(left: StoredCodes, right: StoredCodes, output: StoredCodes, p: AddParameters): void {
  const rounding = 1 << (p.shift - 1)
  for (let i = 0; i < output.data.length; i++) {
    const sum =
      Math.imul(left.data[i] - p.leftZeroPoint, p.leftMultiplier) +
      Math.imul(right.data[i % right.data.length] - p.rightZeroPoint, p.rightMultiplier)
    output.data[i] = clamp(((sum + rounding) >> p.shift) + p.outputZeroPoint, p.low, p.high)
  }
}

export interface MultiplyParameters {
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  /** 0 ≤ multiplier < 2^31. */
  readonly multiplier: number
  /** 32 … 62. */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/**
 * clamp(requantize((a − za) × (b − zb)) + zo); the proof keeps the product within int32. `right` has the size of `output`, or
 * is one pixel that meets every pixel.
 */
export function multiply(left: StoredCodes, right: StoredCodes, output: StoredCodes, p: MultiplyParameters): void {
  for (let i = 0; i < output.data.length; i++) {
    const product = Math.imul(left.data[i] - p.leftZeroPoint, right.data[i % right.data.length] - p.rightZeroPoint)
    output.data[i] = clamp(requantize(product, p.multiplier, p.shift) + p.outputZeroPoint, p.low, p.high)
  }
}

export interface MagnitudeParameters extends MultiplyParameters {
  /** The length shifted left fits int32. */
  readonly leftShift: number
}

/**
 * clamp(requantize(floor(√((a − za)² + (b − zb)²)) << left) + zo); differences fit 16 bits, so that the sum is at most 2^31. Both
 * operands have the size of `output`.
 */
export function magnitude(left: StoredCodes, right: StoredCodes, output: StoredCodes, p: MagnitudeParameters): void {
  for (let i = 0; i < output.data.length; i++) {
    const a = left.data[i] - p.leftZeroPoint
    const b = right.data[i] - p.rightZeroPoint
    const length = floorSquareRoot(0, a * a + b * b) << p.leftShift
    output.data[i] = clamp(requantize(length, p.multiplier, p.shift) + p.outputZeroPoint, p.low, p.high)
  }
}

export interface RescaleParameters {
  readonly inputZeroPoint: number
  /** Multipliers of values at or above the zero point, and below it; one per channel. */
  readonly positive: Int32Array
  readonly negative: Int32Array
  /** 1 … 31. */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** clamp((((x − zero point) × m[c] + 2^(shift−1)) >> shift) + output zero point); the proof keeps every step within int32. */
export function rescale(input: StoredCodes, output: StoredCodes, p: RescaleParameters): void {
  const rounding = 1 << (p.shift - 1)
  const stride = channelStride(output.channels)
  for (let i = 0; i < output.data.length; i++) {
    const c = i % stride
    if (c >= output.channels) continue
    const value = input.data[i] - p.inputZeroPoint
    const product = Math.imul(value, value >= 0 ? p.positive[c] : p.negative[c])
    output.data[i] = clamp(((product + rounding) >> p.shift) + p.outputZeroPoint, p.low, p.high)
  }
}

/** output = table[input + 128]. */
export function lookUp(input: Stored, output: StoredCodes, table: Int8Array | Int16Array): void {
  for (let i = 0; i < output.data.length; i++) output.data[i] = table[input.data[i] + 128]
}
