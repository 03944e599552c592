/**
 * The table by which the kernels of assembly/simulation/round-steps.ts know a format: any function of a number that goes up in
 * steps. Layout: uint32 n, uint32 half, float64 what NaN becomes; n + 2·half keys (int64) of the steps, the last ones beyond
 * every number; n + 1 float64 values; 8,193 uint32: how many steps have, as float32, upper 13 bits whose number in increasing order
 * is less than the index. A key is the bits of a double, those below the sign turned round for negative ones. 2·half, a power of
 * two, is more than the steps with the same upper 13 bits.
 */
import type { Simulation } from './simulation.ts'

/** steps[i] is the least double that becomes values[i + 1]; below the first one stands values[0]. −0 counts as less than 0. */
export interface StepFunction {
  readonly steps: Float64Array
  readonly values: Float64Array
  /** What NaN becomes: NaN or 0. */
  readonly ofNaN: number
}

const BUCKETS = 8192
const HEAD = 16

/** The table of a step function, to be copied to any address that is a multiple of 8. */
export function stepTable({ steps, values, ofNaN }: StepFunction): Uint8Array<ArrayBuffer> {
  const { counts, most } = bucketCounts(steps)
  let reach = 2
  while (reach <= most) reach *= 2
  const keys = steps.length + reach
  const table = new Uint8Array(HEAD + 8 * (keys + values.length) + 4 * counts.length)
  const { buffer } = table
  new Uint32Array(buffer, 0, 2).set([steps.length, reach / 2])
  new Float64Array(buffer, 8, 1)[0] = ofNaN
  const ordered = new BigInt64Array(buffer, HEAD, keys).fill(0x7fffffffffffffffn)
  const patterns = new BigInt64Array(Float64Array.from(steps).buffer)
  for (const [index, pattern] of patterns.entries())
    ordered[index] = pattern >= 0n ? pattern : pattern ^ 0x7fffffffffffffffn
  new Float64Array(buffer, HEAD + 8 * keys, values.length).set(values)
  new Uint32Array(buffer, HEAD + 8 * (keys + values.length), counts.length).set(counts)
  return table
}

/** Writes the table into newly allocated memory and gives its address. */
export function writeSteps(simulation: Simulation, step: StepFunction): number {
  const table = stepTable(step)
  const address = simulation.allocate(table.length)
  new Uint8Array(simulation.memory.buffer, address, table.length).set(table)
  return address
}

function bucketCounts(steps: Float64Array): { readonly counts: Uint32Array; readonly most: number } {
  const patterns = new Uint32Array(Float32Array.from(steps).buffer)
  const counts = new Uint32Array(BUCKETS + 1)
  for (const pattern of patterns) {
    const ordered = pattern >>> 31 === 1 ? ~pattern : pattern | 0x80000000
    counts[(ordered >>> 19) + 1]!++
  }
  const most = counts.reduce((a, b) => Math.max(a, b))
  for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket + 1]! += counts[bucket]!
  return { counts, most }
}
