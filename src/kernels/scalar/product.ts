/** The meaning of products of two computed matrices: rule R15 of docs/arithmetic.md. */
import { clamp, requantize } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'
import type { Stored } from './geometry.ts'

/** One loop over products of their own; steps count stored elements. */
export interface ProductLoop {
  readonly count: number
  readonly leftStep: number
  readonly rightStep: number
  readonly outputStep: number
}

/** Where the elements of both operands and the result lie, in stored elements. */
export interface ProductLayout {
  readonly leftStart: number
  readonly rightStart: number
  readonly outputStart: number
  /** Outermost first. */
  readonly batches: readonly ProductLoop[]
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly leftSteps: { readonly row: number; readonly inner: number }
  readonly rightSteps: { readonly inner: number; readonly column: number }
  readonly outputSteps: { readonly row: number; readonly column: number }
}

export interface ProductParameters extends ProductLayout {
  readonly leftZeroPoint: number
  readonly rightZeroPoint: number
  /** 0 ≤ multiplier < 2^31. */
  readonly multiplier: number
  /** 32 … 62. */
  readonly shift: number
  /** Left shift of the sum; the proof keeps the result within int32. */
  readonly leftShift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** Fills the elements of `output` that the layout names; the proof keeps every sum within int32. */
export function product(left: StoredCodes, right: StoredCodes, output: Stored, p: ProductParameters): void {
  const { leftSteps, rightSteps, outputSteps } = p
  const matrix = (leftStart: number, rightStart: number, outputStart: number): void => {
    for (let m = 0; m < p.rows; m++)
      for (let n = 0; n < p.columns; n++) {
        let from = leftStart + m * leftSteps.row
        let by = rightStart + n * rightSteps.column
        let sum = 0
        for (let k = 0; k < p.inner; k++) {
          sum += (left.data[from] - p.leftZeroPoint) * (right.data[by] - p.rightZeroPoint)
          from += leftSteps.inner
          by += rightSteps.inner
        }
        const code = requantize(sum << p.leftShift, p.multiplier, p.shift) + p.outputZeroPoint
        output.data[outputStart + m * outputSteps.row + n * outputSteps.column] = clamp(code, p.low, p.high)
      }
  }
  const batch = (depth: number, leftStart: number, rightStart: number, outputStart: number): void => {
    if (depth === p.batches.length) {
      matrix(leftStart, rightStart, outputStart)
      return
    }
    const { count, leftStep, rightStep, outputStep } = p.batches[depth]
    for (let i = 0; i < count; i++)
      batch(depth + 1, leftStart + i * leftStep, rightStart + i * rightStep, outputStart + i * outputStep)
  }
  batch(0, p.leftStart, p.rightStart, p.outputStart)
}
