/** How much memory a stored tensor takes. */
import { channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import type { IntegerTensor } from '../lower/integer-graph.ts'

/** Bytes of a stored tensor, spare lanes included. */
export function tensorBytes(tensor: IntegerTensor): number {
  return tensor.height * tensor.width * channelStride(tensor.channels) * elementBytes(tensor.format)
}
