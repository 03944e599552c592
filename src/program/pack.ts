/**
 * How weights lie in a program: panels of eight output channels, pairs of taps innermost, as `convolve` and `depthwise`
 * read them (drawings in src/kernels/assembly/integer). Codes of up to 8 bits stay int8 in the module, or two to a byte;
 * start-up widens them in place and multiplies them by the factors of their groups. Wider ones lie there as they are used.
 */
import { LANES } from '../kernels/scalar/geometry.ts'
import type { ConvolutionInstruction } from '../lower/integer-graph.ts'

export interface PackedWeights {
  readonly panels: number
  /** Pairs of taps per panel. */
  readonly pairs: number
  /** panels × pairs × 16 codes; words have no zero point any more. */
  readonly codes: Int8Array | Int16Array
  /** Per panel sixteen zero points (each channel twice), or one shared block of zeros. */
  readonly zeroPoints: Int16Array
  /** Bytes from one panel's zero points to the next; 0 when they are shared. */
  readonly zeroPointStep: number
  /** Whether every code fits 4 bits and the format has at most as many. */
  readonly narrow: boolean
  /** Factors of groups of weights (R12). */
  readonly scaling?: PackedScaling
}

/** Factors of groups of `size` consecutive weights of a channel, as `scaleWeights` reads them. */
export interface PackedScaling {
  /** Runs of weights per channel; each is padded to pairs. */
  readonly runs: number
  /** Weights per run. */
  readonly length: number
  readonly size: number
  /** Groups per channel. */
  readonly groups: number
  /** [panel][group][8 channels]. */
  readonly factors: Uint8Array
}

/** How a convolution walks its widened input. */
export interface Segments {
  /** Contiguous runs per kernel row. */
  readonly count: number
  /** Elements per run. */
  readonly length: number
  /** Runs are rounded up to pairs of elements. */
  readonly pairs: number
}

/** Runs of contiguous input elements: a whole kernel row where nothing lies between its taps. */
export function segmentsOf(instruction: ConvolutionInstruction): Segments {
  const inputs = instruction.input.channels / instruction.groups
  const whole = instruction.groups === 1 && instruction.window.dilations[1] === 1
  const count = whole ? 1 : instruction.window.kernel[1]
  const length = whole ? instruction.window.kernel[1] * inputs : inputs
  return { count, length, pairs: (length + 1) >> 1 }
}

function panelZeroPoints(
  zeroPoints: Int16Array,
  first: number,
  channels: number,
  panels: number,
): { zeroPoints: Int16Array; zeroPointStep: number } {
  const used = zeroPoints.subarray(first, first + channels)
  if (used.every((value) => value === 0)) return { zeroPoints: new Int16Array(2 * LANES), zeroPointStep: 0 }
  const table = new Int16Array(panels * 2 * LANES)
  for (let o = 0; o < channels; o++) table.fill(used[o], 2 * o, 2 * o + 2)
  return { zeroPoints: table, zeroPointStep: 4 * LANES }
}

/** Factors of output channels [first, first + channels) by panels. */
function packScaling(
  { weightGroups, weights, output }: ConvolutionInstruction,
  first: number,
  channels: number,
  runs: number,
): PackedScaling | undefined {
  if (weightGroups === undefined) return undefined
  const { size, factors } = weightGroups
  const taps = weights.length / output.channels
  const groups = Math.ceil(taps / size)
  const packed = new Uint8Array(Math.ceil(channels / LANES) * groups * LANES)
  for (let o = 0; o < channels; o++)
    for (let group = 0; group < groups; group++)
      packed[((o - (o % LANES)) / LANES) * groups * LANES + group * LANES + (o % LANES)] =
        factors[(first + o) * groups + group]
  return { runs, length: taps / runs, size, groups, factors: packed }
}

function isNarrow(format: string, codes: Int8Array | Int16Array): boolean {
  return ['s2', 's3', 's4'].includes(format) && codes.every((code) => code >= -8 && code < 8)
}

/** Zeros of the type in which an instruction has its weights. */
function weightArray({ weights }: ConvolutionInstruction, length: number): Int8Array | Int16Array {
  return weights instanceof Int8Array ? new Int8Array(length) : new Int16Array(length)
}

/** Words without zero points: nothing is left to do for them at start-up. */
function withoutZeroPoints(instruction: ConvolutionInstruction): ConvolutionInstruction {
  const { weights, weightZeroPoints, output } = instruction
  if (weights instanceof Int8Array || weightZeroPoints.every((value) => value === 0)) return instruction
  const taps = weights.length / output.channels
  return {
    ...instruction,
    weights: weights.map((code, i) => code - weightZeroPoints[(i - (i % taps)) / taps]),
    weightZeroPoints: new Int16Array(output.channels),
  }
}

/** Two codes per byte: of each sixteen, the first eight in the low halves and the others in the high ones. */
export function packNibbles(codes: Int8Array | Int16Array): Uint8Array {
  const packed = new Uint8Array(codes.length / 2)
  for (let i = 0; i < packed.length; i++) {
    const low = 2 * (i - (i % LANES)) + (i % LANES)
    packed[i] = (codes[low] & 15) | (codes[low + LANES] << 4)
  }
  return packed
}

/** Weights of output channels [first, first + channels) for `convolve`. Codes that pad a pair equal the zero point. */
export function packConvolution(given: ConvolutionInstruction, first: number, channels: number): PackedWeights {
  const instruction = withoutZeroPoints(given)
  const [kernelHeight] = instruction.window.kernel
  const { count, length, pairs } = segmentsOf(instruction)
  const panels = Math.ceil(channels / LANES)
  const pairsPerPanel = kernelHeight * count * pairs
  const codes = weightArray(instruction, panels * pairsPerPanel * 2 * LANES)
  const taps = kernelHeight * count * length
  for (let o = 0; o < channels; o++) {
    const panel = (o - (o % LANES)) / LANES
    const lane = o % LANES
    const source = (first + o) * taps
    for (let segment = 0; segment < kernelHeight * count; segment++)
      for (let k = 0; k < 2 * pairs; k++) {
        const target = ((panel * pairsPerPanel + segment * pairs + (k >> 1)) * LANES + lane) * 2 + (k & 1)
        codes[target] =
          k < length ? instruction.weights[source + segment * length + k] : instruction.weightZeroPoints[first + o]
      }
  }
  return {
    panels,
    pairs: pairsPerPanel,
    codes,
    ...panelZeroPoints(instruction.weightZeroPoints, first, channels, panels),
    narrow: isNarrow(instruction.weightFormat, codes),
    scaling: packScaling(instruction, first, channels, kernelHeight * count),
  }
}

/** Weights for `depthwise`: taps in row-major order, paired; an odd last tap meets a zero weight. */
export function packDepthwise(given: ConvolutionInstruction): PackedWeights {
  const instruction = withoutZeroPoints(given)
  const taps = instruction.window.kernel[0] * instruction.window.kernel[1]
  const channels = instruction.output.channels
  const pairs = (taps + 1) >> 1
  const panels = Math.ceil(channels / LANES)
  const codes = weightArray(instruction, panels * pairs * 2 * LANES)
  for (let c = 0; c < channels; c++)
    for (let tap = 0; tap < 2 * pairs; tap++) {
      const panel = (c - (c % LANES)) / LANES
      codes[((panel * pairs + (tap >> 1)) * LANES + (c % LANES)) * 2 + (tap & 1)] =
        tap < taps ? instruction.weights[c * taps + tap] : instruction.weightZeroPoints[c]
    }
  return {
    panels,
    pairs,
    codes,
    ...panelZeroPoints(instruction.weightZeroPoints, 0, channels, panels),
    narrow: isNarrow(instruction.weightFormat, codes),
    scaling: packScaling(instruction, 0, channels, 1),
  }
}

/** Values of a per-channel parameter, padded with zeros to whole panels. */
export function padChannels(values: Int32Array, first: number, channels: number): Int32Array {
  const padded = new Int32Array(Math.ceil(channels / LANES) * LANES)
  padded.set(values.subarray(first, first + channels))
  return padded
}

/**
 * The same convolution with one group: weights outside the own group hold the zero point. For grouped layers whose groups
 * do not fill whole panels, and for depthwise layers whose channels do not. Factors of groups of weights become one factor
 * per weight.
 */
export function ungroup(instruction: ConvolutionInstruction): ConvolutionInstruction {
  if (instruction.groups === 1) return instruction
  const { groups, input, output, weightGroups } = instruction
  const inputs = input.channels / groups
  const outputs = output.channels / groups
  const taps = instruction.window.kernel[0] * instruction.window.kernel[1]
  const weights = weightArray(instruction, output.channels * taps * input.channels)
  const factors = new Uint8Array(weightGroups === undefined ? 0 : weights.length).fill(1)
  const perChannel = weightGroups === undefined ? 0 : Math.ceil((taps * inputs) / weightGroups.size)
  for (let o = 0; o < output.channels; o++) {
    const group = (o - (o % outputs)) / outputs
    weights.fill(instruction.weightZeroPoints[o], o * taps * input.channels, (o + 1) * taps * input.channels)
    for (let tap = 0; tap < taps; tap++) {
      const target = (o * taps + tap) * input.channels + group * inputs
      weights.set(instruction.weights.subarray((o * taps + tap) * inputs, (o * taps + tap + 1) * inputs), target)
      if (weightGroups !== undefined)
        for (let c = 0; c < inputs; c++)
          factors[target + c] =
            weightGroups.factors[o * perChannel + Math.floor((tap * inputs + c) / weightGroups.size)]
    }
  }
  return {
    ...instruction,
    kind: 'convolution',
    groups: 1,
    weights,
    weightGroups: weightGroups && { size: 1, factors },
  }
}
