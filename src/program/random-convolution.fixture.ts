/** A random convolution for test graphs: weights, zero points and multipliers that make its results fill their range. */
import { convolution } from '../kernels/scalar/convolution.ts'
import { allocateStored, type Stored } from '../kernels/scalar/geometry.ts'
import { proveConvolution } from '../lower/bounds.ts'
import type {
  ConvolutionInstruction,
  IntegerTensor,
  Residual,
  StorageFormat,
  WeightGroups,
  Window,
} from '../lower/integer-graph.ts'
import { dyadicAtShift, dyadicRatios } from '../num/dyadic.ts'
import { INT8, INT16, INT32, type Interval, interval } from '../num/interval.ts'
import type { Random } from './program.fixture.ts'

/** What is fixed about a random convolution; everything else is drawn. */
export interface ConvolutionChoice {
  readonly outputs: number
  readonly window: Window
  readonly groups?: number
  readonly depthwise?: boolean
  /** `s8` and so on are symmetric; `u8` codes have a zero point per channel. */
  readonly weightFormat?: 's16' | 's8' | 's4' | 's2' | 'u8'
  readonly inputZeroPoints?: 'none' | 'uniform' | 'channel'
  readonly residual?: IntegerTensor
  /** Format of the output, `s8` when not given. */
  readonly format?: StorageFormat
  /** Size of groups of weights with a factor each. */
  readonly groupSize?: number
  /**
   * `fill`: multipliers that spread the sample over the output's range; `left`: ratios of 0.5 and more, which need a left
   * shift; `extreme`: multipliers from 0 to 2^31 − 1 at any shift.
   */
  readonly multipliers?: 'fill' | 'left' | 'extreme'
}

/** Output size of a window along one axis. */
export function outputSize(size: number, window: Window, axis: 0 | 1): number {
  const extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1
  return Math.floor((size + window.pads[axis] + window.pads[axis + 2] - extent) / window.strides[axis]) + 1
}

/** All codes of a storage format. */
export const STORED_RANGES: Readonly<Record<StorageFormat, Interval>> = { s8: INT8, s16: INT16, s32: INT32 }

/** The whole range of a format, or a part of it. */
export function randomClamp(format: StorageFormat, random: Random): Interval {
  if (format === 's32' || random.chance(0.7)) return STORED_RANGES[format]
  const unit = format === 's16' ? 256 : 1
  const low = random.between(-128, 20)
  return interval(low * unit, random.between(low + 40, 127) * unit)
}

/** Everything of a convolution but its output tensor; `sample` is what the input holds for the sample that runs along. */
export function randomConvolution(
  name: string,
  random: Random,
  input: IntegerTensor,
  sample: Stored,
  choice: ConvolutionChoice,
): Omit<ConvolutionInstruction, 'output'> & { readonly height: number; readonly width: number } {
  const { window, outputs: channels } = choice
  const format = choice.format ?? 's8'
  const groups = choice.groups ?? 1
  const perGroup = input.channels / groups
  const taps = window.kernel[0] * window.kernel[1] * perGroup
  const mode = choice.multipliers ?? 'fill'
  const weightFormat = choice.weightFormat ?? 's8'
  // No sum of all taps leaves int32.
  const most = Math.floor(2 ** 30 / (taps * (input.range.high - input.range.low)))
  const largest = Math.min(
    most,
    mode === 'left' ? 1 : weightFormat === 'u8' ? 127 : 2 ** (Number(weightFormat.slice(1)) - 1) - 1,
  )
  const unsigned = weightFormat === 'u8' && mode !== 'left' && most >= 255
  const codes = Array.from({ length: channels * taps }, () => random.between(unsigned ? -128 : -largest, largest))
  const weights = weightFormat === 's16' ? Int16Array.from(codes) : Int8Array.from(codes)
  const weightZeroPoints = new Int16Array(channels)
  if (weightFormat === 'u8')
    for (let o = 0; o < channels; o++)
      weightZeroPoints[o] = unsigned ? random.between(-128, 127) : mode === 'left' ? random.between(-1, 1) : 0
  let weightGroups: WeightGroups | undefined
  if (choice.groupSize !== undefined) {
    const factor = Math.max(1, Math.min(mode === 'left' ? 1 : 255, Math.floor(most / (unsigned ? 255 : largest))))
    const count = channels * Math.ceil(taps / choice.groupSize)
    weightGroups = {
      size: choice.groupSize,
      factors: Uint8Array.from({ length: count }, () => random.between(1, Math.min(factor, unsigned ? 127 : 255))),
    }
  }
  const zeroMode = choice.inputZeroPoints ?? 'uniform'
  // Differences of codes and zero points fit 16 bits.
  const zeroPoint = (): number =>
    input.format === 's16'
      ? random.between(Math.max(-32768, input.range.high - 32767), Math.min(32767, input.range.low + 32768))
      : random.between(-128, 127)
  const shared = zeroMode === 'none' && input.format === 's8' ? 0 : zeroPoint()
  const inputZeroPoints = Int16Array.from({ length: input.channels }, () =>
    zeroMode === 'channel' ? zeroPoint() : shared,
  )
  const height = outputSize(input.height, window, 0)
  const width = outputSize(input.width, window, 1)

  // Multiplier 2^30 at shift 32 behind a left shift of 2 is exactly 1: the scalar meaning gives the accumulators.
  const plain = allocateStored('s32', height, width, channels)
  convolution(sample, plain, {
    ...window,
    groups,
    weights,
    weightZeroPoints,
    weightGroups,
    inputZeroPoints,
    bias: new Int32Array(channels),
    multipliers: new Int32Array(channels).fill(2 ** 30),
    shift: 32,
    left: 2,
    outputZeroPoint: 0,
    low: INT32.low,
    high: INT32.high,
  })
  const bias = new Int32Array(channels)
  const ratios = new Float64Array(channels)
  for (let o = 0; o < channels; o++) {
    const seen = Array.from({ length: height * width }, (_, p) => plain.data[p * plain.stride + o] as number)
    const middle = seen.reduce((sum, value) => sum + value, 0) / seen.length
    const spread = Math.sqrt(seen.reduce((sum, value) => sum + (value - middle) ** 2, 0) / seen.length)
    const reach = Math.max(spread * 2, Math.sqrt(taps) * 16)
    // Random offsets keep single pixels apart too.
    bias[o] = Math.round(-middle + (random.between(-100, 100) / 100) * reach)
    // Below ½, or a left shift could take the sum out of int32.
    ratios[o] = Math.min(0.45, (random.between(60, 140) / reach) * { s8: 1, s16: 200, s32: 50 }[format])
    if (mode === 'left') {
      bias[o] = random.between(-40, 40)
      ratios[o] = random.between(50, 400) / 100
    }
  }
  let requantisation: ConvolutionInstruction['requantisation'] = dyadicRatios(ratios, name)
  let residual: Residual | undefined
  if (mode === 'extreme') {
    const corners = [0, 1, 2, 65535, 2 ** 30 - 1, 2 ** 30, 2 ** 31 - 2, 2 ** 31 - 1]
    const multipliers = Int32Array.from({ length: channels }, () =>
      random.chance(0.6) ? random.pick(corners) : random.between(0, 2 ** 31 - 1),
    )
    for (let o = 0; o < channels; o++) if (random.chance(0.3)) bias[o] = random.between(-(2 ** 29), 2 ** 29)
    requantisation = {
      multipliers,
      shift: random.chance(0.3) ? 32 : random.between(32, 62),
      left: random.between(0, 12),
    }
  }
  if (choice.residual) {
    const unit = choice.residual.format === 's16' ? 256 : 1
    const residualZeroPoint = random.between(-128 * unit, 127 * unit)
    const made =
      mode === 'extreme'
        ? {
            multiplier: random.pick([0, 1, 2 ** 30, 2 ** 31 - 1, random.between(0, 2 ** 31 - 1)]),
            left: random.between(0, unit === 1 ? 22 : 13),
          }
        : dyadicAtShift(random.between(20, 120) / 100, requantisation.shift, 256 * unit, name)
    residual = { input: choice.residual, zeroPoint: residualZeroPoint, ...made }
  }
  // Extreme left shifts and biases come down until the proof holds.
  const prove = (): ConvolutionInstruction['bounds'] => {
    for (;;) {
      try {
        return proveConvolution({
          where: name,
          weights,
          weightZeroPoints,
          weightGroups,
          outputs: channels,
          groups,
          inputChannels: input.channels,
          inputRange: input.range,
          inputZeroPoints,
          padded: window.pads.some((pad) => pad > 0),
          bias,
          requantisation,
          residual,
        })
      } catch (error) {
        if (mode !== 'extreme' || requantisation.left === 0) throw error
        requantisation = { ...requantisation, left: requantisation.left - 1 }
        for (let o = 0; o < channels; o++) bias[o] = (bias[o] as number) >> 1
      }
    }
  }
  const bounds = prove()
  const clamp = randomClamp(format, random)
  const reach = { s8: 40, s16: 10_000, s32: 1000 }[format]
  return {
    kind: choice.depthwise ? 'depthwise' : 'convolution',
    name,
    height,
    width,
    input,
    window,
    groups,
    weights,
    weightGroups,
    weightZeroPoints,
    weightFormat,
    bias,
    inputZeroPoints,
    requantisation,
    outputZeroPoint: random.between(-reach, reach),
    clamp,
    residual,
    bounds,
  }
}
