/**
 * Steps of a convolution: a padded copy of the input where there is padding, then one kernel call per group. A dense
 * layer is a convolution whose kernel is as large as its input.
 */
import type { Buffer } from './buffers.ts'
import { copy, type Kernels } from './kernels.ts'
import { extents, type Layout, laneStrides } from './layout.ts'
import { packBias, packConvolution, packDepthwise, panelled } from './pack-weights.ts'
import type { Planner, Stored } from './planner.ts'
import type { Window } from './window.ts'

export interface Convolution {
  readonly input: Stored
  readonly output: Stored
  readonly window: Window
  readonly groups: number
  /** (O, I/groups, KH, KW) row-major. */
  readonly weights: Float32Array
  readonly bias: Float32Array | undefined
  /** Has the output's layout. */
  readonly residual: Stored | undefined
  readonly low: number
  readonly high: number
}

/** The map the kernel slides over: the input itself or its padded copy. `stride` is floats per pixel. */
interface Plane {
  readonly buffer: Buffer
  readonly height: number
  readonly width: number
  readonly stride: number
}

/** Rough size of an input block that stays in a second-level cache beside a panel of weights. */
const BLOCK_BYTES = 1 << 18

/** Emits the steps of a convolution for the planner's current node. */
export function emitConvolution(planner: Planner, convolution: Convolution): void {
  const { input, output, window, groups, weights, bias, residual, low, high } = convolution
  const channels = input.layout.c
  const outputs = output.layout.c
  const depthwise = groups > 1 && groups === channels && groups === outputs
  const plane = emitPadding(planner, input, window, depthwise)
  const pixels = output.layout.n * output.layout.h * output.layout.w
  const offsets = pixelTable(planner, plane, output.layout, window)
  const outputStride = output.layout.lanes * 4
  const residualBytes = outputStride
  const packedBias = planner.constant(packBias(bias, outputs, depthwise ? 1 : groups))
  const area = window.kernel[0] * window.kernel[1]
  if (depthwise) {
    const packed = planner.constant(packDepthwise(weights, channels, area))
    const taps = segmentTable(planner, plane, window)
    planner.emit(({ kernels }) =>
      kernels.depthwise(
        ...[plane.buffer.address, offsets.address, pixels, taps.address, area, packed.address, packedBias.address],
        ...[output.buffer.address, outputStride, output.layout.lanes],
        ...[residual?.buffer.address ?? 0, residualBytes, low, high],
      ),
    )
    return
  }
  const inputs = channels / groups
  const perGroup = outputs / groups
  const packed = planner.constant(packConvolution(weights, outputs, groups, inputs, area))
  const rowWise = groups === 1 && window.dilations[1] === 1 && plane.stride === channels
  const segments = rowWise ? rowTable(planner, plane, window) : segmentTable(planner, plane, window)
  const segmentCount = rowWise ? window.kernel[0] : area
  const runBytes = (rowWise ? window.kernel[1] : 1) * inputs * 4
  const panelLanes = panelled(perGroup)
  const lanes = (perGroup + 3) & ~3
  // A group whose channels do not fill whole vectors would overwrite its neighbour: it goes through a map of its own.
  const detour = groups > 1 && lanes !== perGroup ? planner.scratch(pixels * lanes) : undefined
  const detourResidual = detour && residual ? planner.scratch(pixels * lanes) : undefined
  const block = Math.max(64, Math.floor(BLOCK_BYTES / (segmentCount * runBytes * 4)) * 4)
  planner.emit(({ kernels }) => {
    for (let group = 0; group < groups; group++) {
      const slice = group * perGroup * 4
      const target = detour?.address ?? output.buffer.address + slice
      const targetStride = detour ? lanes * 4 : outputStride
      if (detourResidual && residual)
        copySlice(
          kernels,
          pixels,
          perGroup,
          residual.buffer.address + slice,
          outputStride,
          detourResidual.address,
          lanes * 4,
        )
      const added = detourResidual?.address ?? (residual ? residual.buffer.address + slice : 0)
      for (let first = 0; first < pixels; first += block)
        kernels.convolve(
          ...[plane.buffer.address + group * inputs * 4, offsets.address + first * 4, Math.min(block, pixels - first)],
          ...[segments.address, segmentCount, runBytes],
          packed.address + group * panelLanes * inputs * area * 4,
          packedBias.address + group * panelLanes * 4,
          ...[target + first * targetStride, targetStride, lanes],
          ...[added && added + first * targetStride, targetStride, low, high],
        )
      if (detour) copySlice(kernels, pixels, perGroup, target, lanes * 4, output.buffer.address + slice, outputStride)
    }
  })
}

function copySlice(
  kernels: Kernels,
  pixels: number,
  channels: number,
  source: number,
  sourceStride: number,
  target: number,
  targetStride: number,
): void {
  kernels.copyBlock(source, target, 1, 1, pixels, channels, 0, 0, sourceStride, 4, 0, 0, targetStride, 4)
}

/** The input where it needs no padding, else a padded copy; a copy for `convolve` drops the padding lanes. */
function emitPadding(planner: Planner, input: Stored, window: Window, keepLanes: boolean): Plane {
  const { n, h, w, c, lanes } = input.layout
  const [top, left, bottom, right] = window.pads
  if (top + left + bottom + right === 0) return { buffer: input.buffer, height: h, width: w, stride: lanes }
  const stride = keepLanes ? lanes : c
  const height = top + h + bottom
  const width = left + w + right
  const buffer = planner.scratch(n * height * width * stride)
  const pixel = stride * 4
  const size: Layout = keepLanes ? { ...input.layout, c: lanes } : input.layout
  planner.emit(({ kernels }) => {
    for (let sample = 0; sample < n; sample++) {
      const start = buffer.address + sample * height * width * pixel
      const first = (top * width + left) * pixel
      const rowEnd = ((top + h - 1) * width + left + w) * pixel
      kernels.fillRows(start, 1, first / 4, 0, 0)
      kernels.fillRows(start + first + w * pixel, h - 1, (right + left) * stride, width * pixel, 0)
      kernels.fillRows(start + rowEnd, 1, (height * width * pixel - rowEnd) / 4, 0, 0)
    }
    const inside = buffer.address + (top * width + left) * pixel
    if (stride === lanes) {
      const sourceRow = w * pixel
      const targetRow = width * pixel
      kernels.copyBlock(
        ...[input.buffer.address, inside, 1, n, h, w * stride],
        ...[0, h * sourceRow, sourceRow, 4, 0, height * targetRow, targetRow, 4],
      )
    } else
      copy(kernels, extents(size), input.buffer.address, laneStrides(size), inside, [
        ...([height * width * pixel, 4, width * pixel, pixel] as const),
      ])
  })
  return { buffer, height, width, stride }
}

/** Byte offset of each output pixel's window. */
function pixelTable(planner: Planner, plane: Plane, output: Layout, window: Window): Buffer {
  const { height, width, stride } = plane
  const { n, h, w } = output
  return planner.table(`pixels ${[height, width, stride, n, h, w, window.strides]}`, () => {
    const table = new Int32Array(n * h * w)
    let index = 0
    for (let sample = 0; sample < n; sample++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++)
          table[index++] = ((sample * height + y * window.strides[0]) * width + x * window.strides[1]) * stride * 4
    return table
  })
}

/** Byte offset of each kernel position. */
function segmentTable(planner: Planner, plane: Plane, window: Window): Buffer {
  const { width, stride } = plane
  const [height, columns] = window.kernel
  return planner.table(`taps ${[width, stride, window.kernel, window.dilations]}`, () =>
    Int32Array.from(
      { length: height * columns },
      (_, tap) =>
        (Math.floor(tap / columns) * window.dilations[0] * width + (tap % columns) * window.dilations[1]) * stride * 4,
    ),
  )
}

/** Byte offset of each kernel row. */
function rowTable(planner: Planner, plane: Plane, window: Window): Buffer {
  const row = window.dilations[0] * plane.width * plane.stride * 4
  return planner.table(`rows ${[row, window.kernel[0]]}`, () =>
    Int32Array.from({ length: window.kernel[0] }, (_, y) => y * row),
  )
}
