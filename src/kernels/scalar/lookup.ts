/** The meaning of rows of a table chosen by computed indices: rule R19 of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'
import type { Stored } from './geometry.ts'

export interface LookupParameters {
  /** Stored elements of the input between the index of a pixel and the next one's. */
  readonly indexStep: number
  readonly entries: number
  /** [entries][channels], compact. */
  readonly codes: Int8Array | Int16Array
}

/** Output pixel i is the row of the index, which is limited to the table. */
export function lookUpRows(input: Stored, output: StoredCodes, { indexStep, entries, codes }: LookupParameters): void {
  const { channels, stride, data } = output
  for (let pixel = 0; pixel * stride < data.length; pixel++) {
    const row = clamp(input.data[pixel * indexStep], 0, entries - 1)
    for (let c = 0; c < channels; c++) data[pixel * stride + c] = codes[row * channels + c]
  }
}
