/**
 * The grid of one stored value, and what rounding to it costs: codes by half up (R1), limited to the format and to the
 * bounds of a fused activation, read back as reals. The rounding of a program's requantisation, without its multipliers.
 */
import type { Node } from '../graph/graph.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import type { ErrorSums } from './error-sums.ts'

export interface Grid {
  /** One scale, or one per channel. */
  readonly scale: Float64Array
  readonly zeroPoint: number
  /** Codes of the format. */
  readonly format: { readonly low: number; readonly high: number }
  /** Codes that a fused activation leaves, by channel as `scale`. */
  readonly low: Float64Array
  readonly high: Float64Array
}

/** A fused activation's bounds; infinite where there are none. */
export function boundsOf(node: Node | undefined): { readonly low: number; readonly high: number } {
  const bound = (name: 'low' | 'high', absent: number): number => {
    const value = node?.attributes.get(name)
    return typeof value === 'number' ? value : absent
  }
  return { low: bound('low', -Infinity), high: bound('high', Infinity) }
}

/** The grid of a plan's entry for the output of a node. */
export function gridOf(entry: TensorPlan, node: Node | undefined): Grid {
  const { zeroPoint } = entry
  const scale = Float64Array.from(entry.channelScales ?? [1], (channel) => channel * entry.scale)
  const format = formatRange(entry.format)
  const bounds = boundsOf(node)
  const code = (bound: number) => (step: number) =>
    clamp(Math.floor(bound / step + zeroPoint + 0.5), format.low, format.high)
  return { scale, zeroPoint, format, low: scale.map(code(bounds.low)), high: scale.map(code(bounds.high)) }
}

/** The real values that a grid's codes reach; of the coarsest channel where there are several. */
export function reach({ scale, zeroPoint, format }: Grid): { readonly low: number; readonly high: number } {
  const largest = scale.reduce((a, b) => Math.max(a, b))
  return { low: (format.low - zeroPoint) * largest, high: (format.high - zeroPoint) * largest }
}

/** Where the channel of an element stands: element i belongs to channel floor(i / inner) mod count. */
export interface ChannelOrder {
  readonly count: number
  readonly inner: number
}

/**
 * Rounds `values`, less `shift[channel]` where it is given, to the grid and adds their distance from `reference` to `sums`.
 */
export function addRounding(
  sums: ErrorSums,
  grid: Grid,
  reference: Float32Array,
  values: Float32Array,
  channels: ChannelOrder,
  shift?: Float64Array,
): void {
  const { zeroPoint } = grid
  const several = grid.scale.length > 1
  // What all channels share is one run of elements.
  const { count, inner } = several || shift ? channels : { count: 1, inner: values.length }
  let [signal, noise, dot, norm] = [0, 0, 0, 0]
  for (let i = 0, channel = 0; i < values.length; channel = channel + 1 < count ? channel + 1 : 0) {
    const of = several ? channel : 0
    const [scale, low, high] = [grid.scale[of], grid.low[of], grid.high[of]]
    const perUnit = 1 / scale
    const offset = zeroPoint + 0.5 - (shift ? shift[channel] * perUnit : 0)
    for (const end = i + inner; i < end; i++) {
      const code = Math.floor(values[i] * perUnit + offset)
      const a = reference[i]
      const b = ((code < low ? low : code > high ? high : code) - zeroPoint) * scale
      signal += a * a
      noise += (a - b) * (a - b)
      dot += a * b
      norm += b * b
    }
  }
  sums.addSums(signal, noise, dot, norm)
}

/** How many values lie beyond the codes of the format. */
export function countClipped(grid: Grid, values: Float32Array, channels: ChannelOrder): number {
  const { zeroPoint, format } = grid
  const several = grid.scale.length > 1
  const { count, inner } = several ? channels : { count: 1, inner: values.length }
  let clipped = 0
  for (let i = 0, channel = 0; i < values.length; channel = channel + 1 < count ? channel + 1 : 0) {
    // Half a step beyond the last code still rounds to it.
    const low = (format.low - 0.5 - zeroPoint) * grid.scale[several ? channel : 0]
    const high = (format.high + 0.5 - zeroPoint) * grid.scale[several ? channel : 0]
    for (const end = i + inner; i < end; i++) if (values[i] < low || values[i] >= high) clipped++
  }
  return clipped
}
