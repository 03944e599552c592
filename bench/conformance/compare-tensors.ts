/**
 * When a result is right: equal integers, booleans and narrow floats; floats of 16 bits and more within the tolerance of
 * the suite (relative 1e-3, absolute 1e-7). NaN equals NaN, an infinity only itself.
 */
import { isFloat } from '../../src/graph/operators/context.ts'
import type { Tensor } from '../../src/graph/tensor.ts'

const RELATIVE = 1e-3
const ABSOLUTE = 1e-7

/** What is wrong with a result, or `undefined`. */
export function difference(found: Tensor | undefined, expected: Tensor): string | undefined {
  if (found === undefined) return 'there is no such output'
  if (found.type !== expected.type) return `type ${found.type} instead of ${expected.type}`
  if (String(found.shape) !== String(expected.shape)) return `shape [${found.shape}] instead of [${expected.shape}]`
  if (found.data.length !== expected.data.length) return `${found.data.length} elements`
  const tolerant = isFloat(expected.type)
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [found.data[i], expected.data[i]]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    if (tolerant && Math.abs(Number(a) - Number(b)) <= ABSOLUTE + RELATIVE * Math.abs(Number(b))) continue
    return `element ${i} is ${a} instead of ${b} (${expected.type}[${expected.shape}])`
  }
  return undefined
}
