/**
 * Decides where in memory each buffer lives. A buffer is alive from the node that first writes it to the node that last
 * reads it, both included; buffers alive at a common node never overlap. Largest first, each at the lowest free address.
 */
import { DyadicError } from '../../error.ts'
import { FirstFit } from '../../num/first-fit.ts'

export interface Buffer {
  readonly bytes: number
  /** Index of the first and last node at which it is alive. */
  readonly first: number
  last: number
  /** Byte address; set by {@link placeBuffers}. */
  address: number
}

/** A cache line: keeps vectors aligned and neighbouring buffers apart. */
const ALIGNMENT = 64

/** Kernels may read this far beyond a buffer's end; what they read there never reaches a result. */
const SLACK = 64

/** Largest memory: 65536 pages less one, so that every end address fits 32 bits. */
const LIMIT = 0xffff_0000

/** Sets every address, from `base` up, and gives the first address after all buffers. Throws `limit` near 4 GiB. */
export function placeBuffers(buffers: readonly Buffer[], base: number): number {
  const start = align(base)
  const moments = buffers.reduce((most, { first, last }) => Math.max(most, first, Number.isFinite(last) ? last : 0), 0)
  const space = new FirstFit(moments + 1)
  let end = start
  for (const buffer of [...buffers].sort((a, b) => b.bytes - a.bytes)) {
    const last = Math.min(buffer.last, moments)
    const place = space.lowest(buffer.first, last, buffer.bytes)
    space.take(buffer.first, last, place, align(place + buffer.bytes))
    buffer.address = start + place
    end = Math.max(end, align(buffer.address + buffer.bytes))
  }
  if (end + SLACK > LIMIT)
    throw new DyadicError('limit', `the fast float executor would need ${end} bytes; 32-bit memory ends at ${LIMIT}`)
  return end + SLACK
}

function align(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT
}
