/** The meaning of element-by-element kernels: rules R5 (addition) and R7 (tables) of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import type { Stored } from './geometry.ts'

export interface AddParameters {
  readonly leftMultiplier: number
  readonly rightMultiplier: number
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** clamp((((a − za) × ma + (b − zb) × mb + 2^(shift−1)) >> shift) + zo); the proof keeps every step within int32. */
export function add(left: Stored, right: Stored, output: Stored, p: AddParameters): void {
  const rounding = 1 << (p.shift - 1)
  for (let i = 0; i < output.data.length; i++) {
    const sum =
      Math.imul(left.data[i] - p.leftZeroPoint, p.leftMultiplier) +
      Math.imul(right.data[i] - p.rightZeroPoint, p.rightMultiplier)
    output.data[i] = clamp(((sum + rounding) >> p.shift) + p.outputZeroPoint, p.low, p.high)
  }
}

/** output = table[input + 128]. */
export function lookUp(input: Stored, output: Stored, table: Int8Array): void {
  for (let i = 0; i < output.data.length; i++) output.data[i] = table[input.data[i] + 128]
}
