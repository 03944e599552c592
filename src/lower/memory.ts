/**
 * The memory plan: where each buffer lives in one arena, so that buffers whose lifetimes overlap never overlap in space.
 * Greedy by size (largest first, lowest free gap), which is within a few per cent of optimal on chains with residuals;
 * deterministic.
 */
import { FirstFit } from '../num/first-fit.ts'

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
  let [first, last] = [0, 0]
  for (const { from, to } of buffers) [first, last] = [Math.min(first, from), Math.max(last, to)]
  const space = new FirstFit(last - first + 1)
  const offsets = new Array<number>(buffers.length).fill(0)
  let total = 0
  for (const index of order) {
    const { bytes, from, to } = buffers[index]
    const offset = space.lowest(from - first, to - first, bytes)
    space.take(from - first, to - first, offset, align(offset + bytes, alignment))
    offsets[index] = offset
    total = Math.max(total, offset + bytes)
  }
  return { offsets, bytes: align(total, alignment) }
}

/** The next multiple of a power of two or any positive alignment. */
export function align(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}
