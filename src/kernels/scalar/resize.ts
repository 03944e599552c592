/** The meaning of linear resizing: rule R14 of docs/arithmetic.md. */
import type { StoredCodes } from './elementwise.ts'

/** What one axis reads for each output index: two source indices, and the share of the second in 1/2^bits. */
export interface ResizeSteps {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly share: Int32Array
}

export interface ResizeParameters {
  readonly rows: ResizeSteps
  readonly columns: ResizeSteps
  /** 0 … 7. */
  readonly bits: number
}

/** (Σ of four codes × their weights + half of 2^(2·bits)) >> 2·bits; the weights add up to 2^(2·bits). */
export function resize(input: StoredCodes, output: StoredCodes, { rows, columns, bits }: ResizeParameters): void {
  const one = 1 << bits
  const rounding = (one * one) >> 1
  const code = (row: number, column: number, channel: number): number =>
    input.data[(row * input.width + column) * input.stride + channel]
  for (let h = 0; h < output.height; h++)
    for (let w = 0; w < output.width; w++)
      for (let c = 0; c < output.channels; c++) {
        const alongColumn = (column: number): number =>
          code(rows.first[h], column, c) * (one - rows.share[h]) + code(rows.second[h], column, c) * rows.share[h]
        const sum =
          alongColumn(columns.first[w]) * (one - columns.share[w]) + alongColumn(columns.second[w]) * columns.share[w]
        output.data[(h * output.width + w) * output.stride + c] = (sum + rounding) >> (2 * bits)
      }
}
