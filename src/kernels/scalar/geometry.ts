/** Storage of the integer tensors as every kernel sees it: NHWC, N = 1, channel stride rounded up to {@link LANES}. */

/** Channels per vector step of the SIMD kernels; channel strides are multiples of it. */
export const LANES = 8

/** Channel count rounded up to a multiple of {@link LANES}. */
export function channelStride(channels: number): number {
  return (channels + LANES - 1) & -LANES
}

/** Channels of one group, total ÷ groups where that is a whole number; counted, since the scalar kernels divide nothing. */
export function channelsPerGroup(total: number, groups: number): number {
  let size = 0
  while (size * groups < total) size++
  return size
}

/** The typed array that holds each storage format. */
export interface StorageArrays {
  readonly s8: Int8Array
  readonly s16: Int16Array
  readonly s32: Int32Array
}

export type StoredData = StorageArrays[keyof StorageArrays]

const ELEMENT_BYTES = { s8: 1, s16: 2, s32: 4 } as const

/** Bytes of one stored element. */
export function elementBytes(format: keyof StorageArrays): 1 | 2 | 4 {
  return ELEMENT_BYTES[format]
}

/** A stored tensor: data[(h × width + w) × stride + c]. */
export interface Stored<Data extends StoredData = StoredData> {
  readonly data: Data
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly stride: number
}

/** A zero-filled stored tensor. */
export function allocateStored<Format extends keyof StorageArrays>(
  format: Format,
  height: number,
  width: number,
  channels: number,
): Stored<StorageArrays[Format]>
export function allocateStored(format: keyof StorageArrays, height: number, width: number, channels: number): Stored {
  const stride = channelStride(channels)
  const length = height * width * stride
  const data =
    format === 's8' ? new Int8Array(length) : format === 's16' ? new Int16Array(length) : new Int32Array(length)
  return { data, height, width, channels, stride }
}

/** Sliding-window geometry: kernel, strides, dilations as [vertical, horizontal]; pads as top and left. */
export interface WindowGeometry {
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  readonly pads: readonly [top: number, left: number, bottom: number, right: number]
}
