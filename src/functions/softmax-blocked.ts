/**
 * The default softmax over long vectors: block by block, each small enough for the nearest cache. A block's exponentials share a
 * power of two and are stored; in the end each block is multiplied by its factor, last block first, since that is what still
 * lies in a cache. A block tries the power of two of the one before, which makes one read of the block enough; where its numbers
 * are too far from that, its own maximum is taken first.
 *
 * Vectors that do not lie in the instance's memory: a block at a time is copied in, and the results stay in the instance's stage
 * as far as there is room (the last ones), so that these are copied once in each direction. All ways give the same bits.
 */

/** The kernels that it calls; addresses are bytes, counts are floats. */
export interface BlockedKernels {
  maximum(input: number, count: number, least: number): number
  storeBelow(input: number, output: number, count: number, largest: number): number
  storeShared(input: number, output: number, count: number, exponent: number): number
  storeNear(input: number, output: number, count: number, exponent: number): number
  multiply(input: number, output: number, count: number, factor: number): void
}

/** Where the instance's memory has room; addresses are bytes. */
export interface BlockedPlaces {
  /** All of the memory; it never grows. */
  readonly floats: Float32Array
  /** Room for one block of input. */
  readonly input: number
  /** Room for `stageBlocks` blocks of results. */
  readonly stage: number
  readonly stageBlocks: number
}

/** Numbers of a block: 16 KiB. */
export const BLOCK_FLOATS = 4096

/** Largest exponent for which the reduction by ln 2 is exact for it and for the 127 below it. */
export const LARGEST_EXPONENT = 1900

/** log of what a shared block's stored numbers are multiplied by (UNIT of the kernel). */
const UNIT_LOGARITHM = Math.log(120.5162034)
/** Sums up to here keep their distance from the end of float32. */
const MOST_NEAR = 2 ** 40
/** Numbers at the start of the vector that give the first power of two. */
const SAMPLE_FLOATS = 64
/** How many blocks may turn out to be too far from the one before; from then on each has its maximum taken at once. */
const PATIENCE = 4
const LEAST_NORMAL = 2 ** -126
const TWO_STEPS = 2 ** 64

/** Stores blocks one after another; the sum of what is stored is given back, what it is relative to is in `reference`. */
class BlockWriter {
  readonly #kernels: BlockedKernels
  #near = Number.NaN
  #patience = PATIENCE
  /** Stored numbers times e^reference are the exponentials. −∞ where all numbers are −∞; NaN or ∞ for NaN or ∞ among them. */
  reference = -Infinity

  constructor(kernels: BlockedKernels) {
    this.#kernels = kernels
  }

  /** Begins with the exponent that the first numbers of the vector suggest. */
  start(input: number, count: number): void {
    this.#near = Math.round(this.#kernels.maximum(input, Math.min(SAMPLE_FLOATS, count), -Infinity) * Math.LOG2E)
  }

  /** Input and output do not overlap. */
  store(input: number, output: number, count: number): number {
    const kernels = this.#kernels
    if (this.#patience > 0 && isTrusted(this.#near)) {
      const sum = kernels.storeNear(input, output, count, this.#near)
      if (sum < MOST_NEAR) {
        this.reference = this.#near * Math.LN2 - UNIT_LOGARITHM
        return sum
      }
      this.#patience--
    }
    const largest = kernels.maximum(input, count, -Infinity)
    this.reference = largest
    if (largest === -Infinity) return kernels.storeShared(input, output, count, 0)
    const exponent = Math.round(largest * Math.LOG2E)
    if (!isTrusted(exponent)) return kernels.storeBelow(input, output, count, largest)
    this.#near = exponent
    this.reference = exponent * Math.LN2 - UNIT_LOGARITHM
    return kernels.storeShared(input, output, count, exponent)
  }
}

const isTrusted = (exponent: number): boolean => Math.abs(exponent) <= LARGEST_EXPONENT

function multiply(kernels: BlockedKernels, from: number, to: number, count: number, factor: number): void {
  if (factor >= LEAST_NORMAL || factor === 0 || Number.isNaN(factor)) kernels.multiply(from, to, count, factor)
  else {
    // A subnormal factor has too few digits for what is large in its block.
    kernels.multiply(from, to, count, factor * TWO_STEPS)
    kernels.multiply(to, to, count, 1 / TWO_STEPS)
  }
}

/** Softmax of `values` into `output`, of one length, not empty; the same array or wholly apart. */
export function softmaxBlocked(
  kernels: BlockedKernels,
  { floats, input, stage, stageBlocks }: BlockedPlaces,
  values: Float32Array,
  output: Float32Array,
): void {
  const count = values.length
  const blocks = Math.ceil(count / BLOCK_FLOATS)
  const sizeOf = (block: number): number => Math.min(BLOCK_FLOATS, count - block * BLOCK_FLOATS)
  const part = (array: Float32Array, block: number): Float32Array =>
    blocks === 1 ? array : array.subarray(block * BLOCK_FLOATS, (block + 1) * BLOCK_FLOATS)

  // Results never lie where a block's input does: it may have to be stored again.
  const direct = values.buffer === floats.buffer && values.byteOffset !== output.byteOffset
  const inside = output.buffer === floats.buffer
  const results = inside ? output.byteOffset : stage
  // Blocks before this one leave the stage at once, through its first place.
  const kept = inside ? 0 : Math.max(0, blocks - stageBlocks)
  const addressOf = (block: number): number => results + 4 * BLOCK_FLOATS * Math.max(0, block - kept)
  const passing = floats.subarray(stage / 4, stage / 4 + BLOCK_FLOATS)

  const references = new Float64Array(blocks)
  const sums = new Float64Array(blocks)
  const writer = new BlockWriter(kernels)
  for (let block = 0; block < blocks; block++) {
    if (!direct) floats.set(part(values, block), input / 4)
    const from = direct ? values.byteOffset + 4 * BLOCK_FLOATS * block : input
    if (block === 0) writer.start(from, sizeOf(0))
    sums[block] = writer.store(from, addressOf(block), sizeOf(block))
    references[block] = writer.reference
    if (block < kept) output.set(passing, block * BLOCK_FLOATS)
  }
  let most = -Infinity
  for (const reference of references) most = Math.max(most, reference)
  if (!Number.isFinite(most)) {
    output.fill(most === -Infinity ? 0 : Number.NaN)
    return
  }
  let total = 0
  for (let block = 0; block < blocks; block++) total += sums[block]! * Math.exp(references[block]! - most)

  const passed = floats.subarray(input / 4, input / 4 + BLOCK_FLOATS)
  for (let block = blocks - 1; block >= 0; block--) {
    const at = addressOf(block)
    const size = sizeOf(block)
    const factor = Math.exp(references[block]! - most) / total
    if (inside) multiply(kernels, at, at, size, factor)
    else {
      const target = part(output, block)
      if (block < kept) passed.set(target)
      multiply(kernels, block < kept ? input : at, input, size, factor)
      target.set(size === BLOCK_FLOATS ? passed : passed.subarray(0, size))
    }
  }
}
