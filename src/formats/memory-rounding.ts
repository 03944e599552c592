/**
 * Rounding of float32 arrays that lie in a WebAssembly memory, by the kernels of src/kernels/simulation.ts. What is stored is
 * the float32 nearest to decode(encode(x / scale)) × scale of src/formats, bit for bit: minifloats and integers by arithmetic on
 * four numbers at a time, every other format by its steps, blocks with the scales that `encodeBlocks` would give them.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Simulation } from '../kernels/simulation.ts'
import { writeGrid } from '../kernels/simulation-grid.ts'
import { writeSteps } from '../kernels/simulation-steps.ts'
import { exponentOf } from './binary64.ts'
import type { BlockFormat } from './blocks.ts'
import { encodeNaN, largest } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { requireScale } from './format-values.ts'
import { octaveGrid } from './octave-grid.ts'
import { formatSteps } from './step-function.ts'

/** Rounds numbers to one element format. Input and output may be the same memory; addresses are in bytes, counts in floats. */
export interface MemoryRounding {
  readonly format: ElementFormat
  /**
   * Rounds `count` floats with one scale (default 1). Throws `usage` for a scale that is not positive and finite, and `refused`
   * for NaN in a format without it, naming the element; the output then holds what was rounded.
   */
  round(input: number, output: number, count: number, scale?: number): void
  /** Rounds scales.length channels of `count` floats each, one behind the other, with one scale per channel. */
  roundChannels(input: number, output: number, count: number, scales: ArrayLike<number>): void
  /**
   * Rounds `rows` rows of scales.length floats, with one scale per place in the row: channels innermost. The number of scales
   * must be a multiple of 4; lanes that are no channels take any scale, 1 for instance.
   */
  roundLanes(input: number, output: number, rows: number, scales: ArrayLike<number>): void
}

/** Rounds numbers in blocks. */
export interface MemoryBlockRounding {
  readonly format: BlockFormat
  /**
   * Rounds `rows` rows of `count` floats whose starts are `stride` bytes apart, in blocks along each row, the last of a row
   * short. What is one number of the tensor (the second level of NVFP4, the exponent of dynamic fixed point) is taken over all
   * rows. Throws `refused` for NaN and ∞ where the format has no NaN block.
   */
  roundRows(input: number, output: number, rows: number, count: number, stride: number): void
}

/**
 * Prepares a rounding: writes the format's record or table into the simulation's memory. Throws `usage` for `stochastic`, which
 * takes random bits (`quantizeArray` does that).
 */
export function prepareRounding(
  simulation: Simulation,
  format: ElementFormat,
  rounding: Rounding = format.rounding,
): MemoryRounding {
  if (rounding === 'stochastic')
    throw new DyadicError('usage', `format ${quoted(format.name)}: stochastic rounding in memory is not offered`)
  const { memory, kernels, allocate } = simulation
  const grid = octaveGrid(format, rounding)
  const record = grid ? writeGrid(simulation, grid) : writeSteps(simulation, formatSteps(format, rounding))
  const run = grid ? kernels.roundGrid : kernels.roundSteps
  const runLanes = grid ? kernels.roundGridLanes : kernels.roundStepsLanes
  let room = { address: 0, length: 0 }

  const check = (unordered: number, output: number, count: number): void => {
    if (unordered === 0 || format.onNaN !== 'refuse') return
    const place = new Float32Array(memory.buffer, output, count).findIndex(Number.isNaN)
    try {
      encodeNaN(format)
    } catch (error) {
      throw error instanceof DyadicError ? new DyadicError(error.code, `element ${place}: ${error.message}`) : error
    }
  }

  const round = (input: number, output: number, count: number, scale = 1): void => {
    requireScale(format, scale)
    check(run(input, output, count, scale, record), output, count)
  }
  return {
    format,
    round,
    roundChannels(input, output, count, scales) {
      for (let channel = 0; channel < scales.length; channel++)
        round(input + 4 * channel * count, output + 4 * channel * count, count, scales[channel])
    },
    roundLanes(input, output, rows, scales) {
      const { length } = scales
      if (length % 4 !== 0)
        throw new DyadicError(
          'usage',
          `${length} scales for the lanes of a row; give a multiple of 4, 1 for unused ones`,
        )
      for (let lane = 0; lane < length; lane++) requireScale(format, scales[lane]!)
      if (length > room.length) room = { address: allocate(8 * length), length }
      new Float64Array(memory.buffer, room.address, length).set(scales)
      check(runLanes(input, output, rows, length, room.address, record), output, rows * length)
    },
  }
}

const LARGEST_FINITE = 0x7f7fffff
const patternToFloat = (pattern: number): number => new Float32Array(Int32Array.of(pattern).buffer)[0]!

/** Prepares a rounding in blocks. Throws `usage` for elements that are neither minifloats nor integers. */
export function prepareBlockRounding(
  simulation: Simulation,
  format: BlockFormat,
  rounding: Rounding = format.element.rounding,
): MemoryBlockRounding {
  const { kernels } = simulation
  const { element, scaling, size, name } = format
  const grid = octaveGrid(element, rounding)
  if (grid === undefined)
    throw new DyadicError(
      'usage',
      `${quoted(name)} with ${rounding}: blocks in memory round minifloats and integers to nearest`,
    )
  const record = writeGrid(simulation, grid)
  const scaleFormat = scaling.kind === 'two-level' ? octaveGrid(scaling.scale, 'nearest-even') : undefined
  const scaleRecord = scaleFormat ? writeGrid(simulation, scaleFormat) : 0
  const most = (input: number, rows: number, count: number, stride: number): number => {
    let pattern = 0
    for (let row = 0; row < rows; row++)
      pattern = Math.max(pattern, kernels.largestPattern(input + row * stride, count))
    if (pattern > LARGEST_FINITE) throw notFinite(name)
    return patternToFloat(pattern)
  }
  return {
    format,
    roundRows(input, output, rows, count, stride) {
      if (scaling.kind === 'fixed-point') {
        const greatest = most(input, rows, count, stride)
        const exponent = greatest === 0 ? 0 : exponentOf(greatest) + 1
        const scale = 2 ** (exponent - (element.bits - 1 - scaling.headroom))
        for (let row = 0; row < rows; row++)
          kernels.roundGrid(input + row * stride, output + row * stride, count, scale, record)
        return
      }
      const kind = scaling.kind === 'power-of-two' ? 0 : scaling.kind === 'two-level' ? 1 : 2
      const greatest = scaling.kind === 'power-of-two' ? scaling.greatestExponent : largest(element)
      const tensorScale =
        scaling.kind === 'two-level'
          ? Math.fround(most(input, rows, count, stride) / (largest(element) * largest(scaling.scale)))
          : 1
      const state = kernels.roundBlocks(
        ...([input, output, rows, count, stride, size === 'tensor' ? Math.max(1, count) : size, kind] as const),
        ...([greatest, tensorScale, record, scaleRecord] as const),
      )
      if ((state & 1) === 1 && kind !== 0) throw notFinite(name)
      if ((state & 2) === 2)
        throw new DyadicError('refused', `${quoted(name)}: a block needs a scale beyond float32; divide the values`)
    },
  }
}

function notFinite(name: string): DyadicError {
  return new DyadicError(
    'refused',
    `${quoted(name)} has no code for NaN and infinities; remove them, or use an MX format`,
  )
}
