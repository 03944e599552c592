/**
 * Steps of a convolution: a padded copy of the input where there is padding, then one kernel call per group. A dense
 * layer is a convolution whose kernel is as large as its input.
 */
import type { Buffer } from './buffers.ts'
import { copy, type Kernels } from './kernels.ts'
import { extents, type Four, type Layout, laneStrides } from './layout.ts'
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
  const { input, output, window, groups } = convolution
  const depthwise = groups > 1 && groups === input.layout.c && groups === output.layout.c
  const plane = emitPadding(planner, input, window, depthwise)
  const offsets = pixelTable(planner, plane, output.layout, window)
  if (depthwise) emitDepthwise(planner, convolution, plane, offsets)
  else emitGroups(planner, convolution, plane, offsets)
}

function emitDepthwise(planner: Planner, convolution: Convolution, plane: Plane, offsets: Buffer): void {
  const { output, window, weights, bias, residual, low, high } = convolution
  const { n, h, w, c, lanes } = output.layout
  const area = window.kernel[0] * window.kernel[1]
  const packed = planner.constant(packDepthwise(weights, c, area))
  const packedBias = planner.constant(packBias(bias, c, 1))
  const taps = tapTable(planner, plane, window)
  planner.emit(({ kernels }) =>
    kernels.depthwise(
      ...[plane.buffer.address, offsets.address, n * h * w, taps.address, area, packed.address, packedBias.address],
      ...[output.buffer.address, lanes * 4, lanes, residual?.buffer.address ?? 0, lanes * 4, low, high],
    ),
  )
}

function emitGroups(planner: Planner, convolution: Convolution, plane: Plane, offsets: Buffer): void {
  const { output, window, groups, weights, bias, residual, low, high } = convolution
  const { n, h, w, c: outputs } = output.layout
  const pixels = n * h * w
  const inputs = convolution.input.layout.c / groups
  const perGroup = outputs / groups
  const area = window.kernel[0] * window.kernel[1]
  const packed = planner.constant(packConvolution(weights, outputs, groups, inputs, area))
  const packedBias = planner.constant(packBias(bias, outputs, groups))
  const rowWise = groups === 1 && window.dilations[1] === 1 && plane.stride === inputs
  const segments = rowWise ? rowTable(planner, plane, window) : tapTable(planner, plane, window)
  const segmentCount = rowWise ? window.kernel[0] : area
  const runBytes = (rowWise ? window.kernel[1] : 1) * inputs * 4
  const block = Math.max(64, Math.floor(BLOCK_BYTES / (segmentCount * runBytes * 4)) * 4)
  const lanes = (perGroup + 3) & ~3
  // A group that does not fill whole vectors would overwrite its neighbour: it goes through maps of its own.
  const detour = groups > 1 && lanes !== perGroup
  const stride = detour ? lanes * 4 : output.layout.lanes * 4
  const ownOutput = detour ? planner.scratch(pixels * lanes) : undefined
  const ownResidual = detour && residual ? planner.scratch(pixels * lanes) : undefined
  const whole: Slice = { pixels, channels: perGroup, stride: output.layout.lanes * 4 }
  planner.emit(({ kernels }) => {
    for (let group = 0; group < groups; group++) {
      const slice = group * perGroup * 4
      const resultSlice = output.buffer.address + slice
      const residualSlice = residual && residual.buffer.address + slice
      const target = ownOutput?.address ?? resultSlice
      const added = ownResidual?.address ?? residualSlice ?? 0
      if (ownResidual && residualSlice) copySlice(kernels, residualSlice, whole, added, { ...whole, stride })
      for (let first = 0; first < pixels; first += block)
        kernels.convolve(
          ...[plane.buffer.address + group * inputs * 4, offsets.address + first * 4, Math.min(block, pixels - first)],
          ...[segments.address, segmentCount, runBytes],
          ...[packed.address + group * panelled(perGroup) * inputs * area * 4],
          ...[packedBias.address + group * panelled(perGroup) * 4],
          ...[target + first * stride, stride, lanes, added && added + first * stride, stride, low, high],
        )
      if (ownOutput) copySlice(kernels, target, { ...whole, stride }, resultSlice, whole)
    }
  })
}

/** Some channels of every pixel; `stride` is bytes per pixel. */
interface Slice {
  readonly pixels: number
  readonly channels: number
  readonly stride: number
}

function copySlice(kernels: Kernels, source: number, from: Slice, target: number, to: Slice): void {
  kernels.copyBlock(source, target, 1, 1, from.pixels, from.channels, 0, 0, from.stride, 4, 0, 0, to.stride, 4)
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
  const planeStrides: Four = [height * width * pixel, 4, width * pixel, pixel]
  planner.emit(({ kernels }) => {
    for (let sample = 0; sample < n; sample++) {
      const start = buffer.address + sample * height * width * pixel
      const first = (top * width + left) * pixel
      const last = ((top + h - 1) * width + left + w) * pixel
      kernels.fillRows(start, 1, first / 4, 0, 0)
      kernels.fillRows(start + first + w * pixel, h - 1, (right + left) * stride, width * pixel, 0)
      kernels.fillRows(start + last, 1, (height * width * pixel - last) / 4, 0, 0)
    }
    const inside = buffer.address + (top * width + left) * pixel
    // With equal strides a row is one run; otherwise the copy leaves the padding lanes out.
    const size: Four = stride === lanes ? [n, w * lanes, h, 1] : extents(input.layout)
    copy(kernels, size, input.buffer.address, laneStrides(input.layout), inside, planeStrides)
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
function tapTable(planner: Planner, plane: Plane, window: Window): Buffer {
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
