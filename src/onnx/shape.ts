/** Dimensions from a file to a shape: positive integers within the limits. */
import { DyadicError } from '../error.ts'
import type { Reading } from './limits.ts'

/**
 * A shape of the graph from the dimensions in the file. `what` says whose it is, for messages. Throws `refused` on zero
 * (unless the caller tolerates it) and negative dimensions and `limit` beyond the limits on rank and elements. A list of no
 * elements, shape [0], passes where `emptyList` allows it: optional operands such as the regions of Resize are given so.
 */
export function checkShape(
  dims: ArrayLike<bigint | number>,
  what: string,
  limits: Reading,
  emptyList = false,
): number[] {
  if (dims.length > limits.rank)
    throw new DyadicError('limit', `${what} has ${dims.length} axes; at most ${limits.rank} are read (limit "rank")`)
  const shape: number[] = []
  let count = 1n
  for (let axis = 0; axis < dims.length; axis++) {
    const size = BigInt(dims[axis])
    if (size < 0n || (size === 0n && !limits.emptyTensors && !(emptyList && dims.length === 1)))
      throw new DyadicError(
        'refused',
        `${what} has shape [${Array.from(dims)}]: axis ${axis} has ${size} elements, and every axis needs at least 1`,
      )
    count *= size
    if (count > BigInt(limits.elements))
      throw new DyadicError(
        'limit',
        `${what} has shape [${Array.from(dims)}]: more than ${limits.elements} elements (limit "elements")`,
      )
    shape.push(Number(size))
  }
  return shape
}
