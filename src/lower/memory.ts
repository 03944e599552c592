/**
 * The memory plan: where each buffer lives in one arena, so that buffers whose lifetimes overlap never overlap in space.
 * Greedy by size (largest first, lowest free gap), which is within a few per cent of optimal on chains with residuals;
 * deterministic, quadratic in the number of buffers.
 */

/** One buffer: live from the instruction that writes it first to the one that reads it last, both inclusive. */
export interface Buffer {
  readonly bytes: number
  readonly from: number
  readonly to: number
}

export interface MemoryPlan {
  /** Byte offset of each buffer within the arena, in the order given. */
  readonly offsets: readonly number[]
  /** Size of the arena in bytes. */
  readonly bytes: number
}

/** Offsets for all buffers, each a multiple of `alignment`. */
export function planMemory(buffers: readonly Buffer[], alignment = 64): MemoryPlan {
  const order = buffers.map((_, index) => index)
  order.sort((a, b) => buffers[b].bytes - buffers[a].bytes || buffers[a].from - buffers[b].from || a - b)
  const offsets = new Array<number>(buffers.length).fill(0)
  const placed: number[] = []
  let total = 0
  for (const index of order) {
    const buffer = buffers[index]
    const neighbours = placed
      .filter((other) => buffers[other].from <= buffer.to && buffer.from <= buffers[other].to)
      .sort((a, b) => offsets[a] - offsets[b])
    let offset = 0
    for (const other of neighbours) {
      if (offset + buffer.bytes <= offsets[other]) break
      offset = Math.max(offset, align(offsets[other] + buffers[other].bytes, alignment))
    }
    offsets[index] = offset
    placed.push(index)
    total = Math.max(total, offset + buffer.bytes)
  }
  return { offsets, bytes: align(total, alignment) }
}

/** The next multiple of a power of two or any positive alignment. */
export function align(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}
