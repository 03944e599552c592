/**
 * Sliding windows of convolutions and pools of any number of spatial axes: from attributes and sizes to explicit pads and
 * output sizes (ONNX, Conv and AveragePool), and the walk over windows that all their float meanings share.
 */
import type { AttributeValue } from '../graph.ts'
import { elementCount } from '../tensor.ts'
import { numberAttribute, numbersAttribute, refuse } from './context.ts'
import { rowMajorStrides } from './layout.ts'

/** A window with nothing left implicit; every list has one entry per spatial axis, `pads` all begins, then all ends. */
export interface ResolvedWindow {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly output: readonly number[]
}

/**
 * Resolves `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` of a node for a spatial input size and kernel.
 * SAME_UPPER and SAME_LOWER give ceil(input / stride) positions, the odd padding element at the end or the beginning.
 * With `ceil_mode`, a last window that would start beyond input and leading padding is dropped.
 * Throws `refused` on lists of the wrong length, values out of range, or when no window fits.
 */
export function resolveWindow(
  node: string,
  attributes: ReadonlyMap<string, AttributeValue>,
  spatial: readonly number[],
  kernel: readonly number[],
): ResolvedWindow {
  const rank = spatial.length
  const list = (name: string, length: number, least: number, absent: number): readonly number[] => {
    const values = numbersAttribute(attributes, name) ?? new Array<number>(length).fill(absent)
    if (values.length !== length)
      refuse(node, `${name} [${values}] has ${values.length} entries; ${length} are needed for ${rank} spatial axes`)
    if (values.some((value) => value < least)) refuse(node, `${name} [${values}] has an entry below ${least}`)
    return values
  }
  if (kernel.length !== rank) refuse(node, `kernel [${kernel}] has ${kernel.length} axes; the input has ${rank}`)
  if (kernel.some((size) => size < 1)) refuse(node, `kernel [${kernel}] has an entry below 1`)
  const strides = list('strides', rank, 1, 1)
  const dilations = list('dilations', rank, 1, 1)
  const given = list('pads', 2 * rank, 0, 0)
  const mode = (attributes.get('auto_pad') as string | undefined) ?? 'NOTSET'
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(mode))
    refuse(node, `auto_pad is not one of NOTSET, VALID, SAME_UPPER and SAME_LOWER`)
  if (mode !== 'NOTSET' && given.some((pad) => pad !== 0)) refuse(node, `auto_pad ${mode} contradicts pads [${given}]`)
  const roundUp = attributes.has('ceil_mode') && numberAttribute(attributes, 'ceil_mode') !== 0

  const pads = [...given]
  const output = spatial.map((size, axis) => {
    const extent = (kernel[axis] - 1) * dilations[axis] + 1
    const stride = strides[axis]
    let count: number
    if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
      count = Math.ceil(size / stride)
      const total = Math.max(0, (count - 1) * stride + extent - size)
      const less = Math.floor(total / 2)
      pads[axis] = mode === 'SAME_UPPER' ? less : total - less
      pads[axis + rank] = total - pads[axis]
    } else {
      const steps = (size + pads[axis] + pads[axis + rank] - extent) / stride
      count = (roundUp && mode === 'NOTSET' ? Math.ceil(steps) : Math.floor(steps)) + 1
      if (roundUp && (count - 1) * stride >= size + pads[axis]) count -= 1
    }
    if (!(count >= 1))
      refuse(node, `a window of extent ${extent} does not fit spatial axis ${axis} of size ${size} with pads [${pads}]`)
    return count
  })
  return { kernel, strides, dilations, pads, output }
}

/** One window position: which taps lie inside the input. */
export interface WindowTaps {
  /** Row-major position in the output plane. */
  position: number
  /** Number of taps inside the input; the first `count` entries of `taps` and `offsets` are valid. */
  count: number
  /** Number of taps inside the input or its explicit padding (ceil_mode windows can reach beyond both). */
  padded: number
  /** Row-major positions in the kernel. */
  readonly taps: Int32Array
  /** Row-major positions in the input plane. */
  readonly offsets: Int32Array
}

/** Calls `visit` for every window position in row-major order. The record is reused between calls. */
export function visitWindows(
  window: ResolvedWindow,
  spatial: readonly number[],
  visit: (taps: WindowTaps) => void,
): void {
  const rank = spatial.length
  const size = elementCount(window.kernel)
  const found: WindowTaps = {
    position: 0,
    count: 0,
    padded: 0,
    taps: new Int32Array(size),
    offsets: new Int32Array(size),
  }
  const strides = rowMajorStrides(spatial)
  const origin = new Array<number>(rank)
  const collect = (axis: number, tap: number, offset: number, inside: boolean): void => {
    if (axis === rank) {
      found.padded++
      if (!inside) return
      found.taps[found.count] = tap
      found.offsets[found.count++] = offset
      return
    }
    for (let k = 0; k < window.kernel[axis]; k++) {
      const at = origin[axis] + k * window.dilations[axis]
      if (at >= spatial[axis] + window.pads[axis + rank]) break
      const within = inside && at >= 0 && at < spatial[axis]
      collect(axis + 1, tap * window.kernel[axis] + k, offset + at * strides[axis], within)
    }
  }
  const step = (axis: number): void => {
    if (axis === rank) {
      found.count = 0
      found.padded = 0
      collect(0, 0, 0, true)
      visit(found)
      found.position++
      return
    }
    for (let o = 0; o < window.output[axis]; o++) {
      origin[axis] = o * window.strides[axis] - window.pads[axis]
      step(axis + 1)
    }
  }
  step(0)
}
