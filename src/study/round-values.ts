/**
 * Rounding of float32 arrays in place, and the squared error that it would make: the kernels of `memory-rounding.ts` over a memory
 * of this thread, through which arrays are passed in parts. The numbers are those of `quantizeArray` and `encodeBlocks`, rounded
 * to float32.
 */
import { type BlockFormat, decodeBlocks, encodeBlocks } from '../formats/blocks.ts'
import type { ElementFormat, Rounding } from '../formats/element-format.ts'
import {
  type MemoryBlockRounding,
  type MemoryRounding,
  prepareBlockRounding,
  prepareRounding,
} from '../formats/memory-rounding.ts'
import { octaveGrid } from '../formats/octave-grid.ts'
import { createSimulation, type Simulation } from '../kernels/simulation.ts'

/** Floats that pass through the memory at once, for roundings that know nothing of their neighbours. */
const PART = 2 ** 14

interface Room {
  readonly simulation: Simulation
  /** Where arrays are put, and how many floats there is place for. */
  address: number
  floats: number
  readonly elements: Map<ElementFormat, Map<Rounding, MemoryRounding>>
  readonly blocks: Map<BlockFormat, MemoryBlockRounding>
}

let room: Room | undefined

/** The thread's memory with place for so many floats. */
function roomFor(floats: number): Room {
  room ??= { simulation: createSimulation(), address: 0, floats: 0, elements: new Map(), blocks: new Map() }
  if (floats > room.floats) {
    room.floats = Math.max(floats, PART)
    room.address = room.simulation.allocate(4 * room.floats)
  }
  return room
}

function roundingOf({ elements, simulation }: Room, format: ElementFormat, rounding: Rounding): MemoryRounding {
  const known = elements.get(format) ?? new Map<Rounding, MemoryRounding>()
  elements.set(format, known)
  const prepared = known.get(rounding) ?? prepareRounding(simulation, format, rounding)
  known.set(rounding, prepared)
  return prepared
}

/** Rounds parts of `values` one after the other and shows each with where it begins. The array shown is reused. */
function forEachPart(
  format: ElementFormat,
  values: Float32Array,
  scale: number,
  rounding: Rounding,
  visit: (rounded: Float32Array, start: number) => void,
): void {
  const own = roomFor(PART)
  const { round } = roundingOf(own, format, rounding)
  const memory = new Float32Array(own.simulation.memory.buffer, own.address, PART)
  for (let start = 0; start < values.length; start += PART) {
    const part = values.subarray(start, start + PART)
    memory.set(part)
    round(own.address, own.address, part.length, scale)
    visit(memory, start)
  }
}

/** Rounds `values` to the format's values times `scale`. Throws `refused` for NaN in a format without it. */
export function roundElements(
  format: ElementFormat,
  values: Float32Array,
  scale: number,
  rounding: Rounding = format.rounding,
): void {
  forEachPart(format, values, scale, rounding, (rounded, start) => {
    values.set(rounded.subarray(0, values.length - start), start)
  })
}

/** Σ (value − rounded)² in double precision. */
export function elementError(
  format: ElementFormat,
  values: Float32Array,
  scale: number,
  rounding: Rounding = format.rounding,
): number {
  let sum = 0
  forEachPart(format, values, scale, rounding, (rounded, start) => {
    const end = Math.min(PART, values.length - start)
    for (let i = 0; i < end; i++) {
      const difference = values[start + i]! - rounded[i]!
      sum += difference * difference
    }
  })
  return sum
}

/**
 * Rounds rows of `lanes` floats, of which the first `channels` count: blocks begin anew in each row, and the last one of a row
 * is scaled by the elements that exist.
 */
export function roundBlocks(format: BlockFormat, values: Float32Array, channels: number, lanes: number): void {
  const own = roomFor(values.length)
  const rows = values.length / lanes
  if (octaveGrid(format.element, format.element.rounding) === undefined) {
    roundRowsByDefinition(format, values, channels, lanes)
    return
  }
  const prepared = own.blocks.get(format) ?? prepareBlockRounding(own.simulation, format)
  own.blocks.set(format, prepared)
  const memory = new Float32Array(own.simulation.memory.buffer, own.address, values.length)
  memory.set(values)
  prepared.roundRows(own.address, own.address, rows, channels, 4 * lanes)
  values.set(memory)
}

/** Blocks of elements that have no kernel. Zeros in the place of what is missing in a row make no scale larger. */
function roundRowsByDefinition(format: BlockFormat, values: Float32Array, channels: number, lanes: number): void {
  const rows = values.length / lanes
  const size = format.size === 'tensor' ? 1 : format.size
  const padded = Math.ceil(channels / size) * size
  const dense = new Float32Array(rows * padded)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < channels; i++) dense[row * padded + i] = values[row * lanes + i]!
  const rounded = decodeBlocks(encodeBlocks(format, dense))
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < channels; i++) values[row * lanes + i] = rounded[row * padded + i]!
}

/** Scales of all blocks of a tensor of rows: what its storage holds beside the elements. */
export function blockCount({ size }: BlockFormat, rows: number, channels: number): number {
  return size === 'tensor' ? 1 : rows * Math.ceil(channels / size)
}
