/**
 * Conversions of long arrays by the kernels of src/kernels/simulation.ts, chunk by chunk through a memory of this file's own. The
 * caller has checked the arguments, and does what has no kernel; results are those of the definition, bit for bit.
 */
import { createSimulation, type Simulation } from '../kernels/simulation.ts'
import { gridRecord, RECORD_BYTES } from '../kernels/simulation-grid.ts'
import { stepTable } from '../kernels/simulation-steps.ts'
import { encodeNaN } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { valueTable } from './format-values.ts'
import { gridCodes, octaveGrid } from './octave-grid.ts'
import { type FormatSteps, formatSteps } from './step-function.ts'

/** Shorter arrays are not worth the copies. */
const LEAST_LENGTH = 256
/** Wider formats have no table of steps or values here. */
const MOST_BITS = 8
const CHUNK = 4096
/** Values of a format of 8 bits, with −0 and what lies beyond the ends. */
const MOST_VALUES = 260
/** Keys, as many again that nothing reaches at most, values, and the counts of `simulation-steps.ts`. */
const STEP_TABLE_BYTES = 16 + 8 * 4 * MOST_VALUES + 4 * 8193

type Numbers = Float32Array | Float64Array

/** The memory: a chunk, and the tables of one format, replaced when another one comes. */
interface Machine extends Simulation {
  readonly input: number
  readonly output: number
  readonly grid: number
  readonly steps: number
  readonly stepCodes: number
  readonly values: number
  presentSteps: FormatSteps | undefined
}

let shared: Machine | undefined

function machine(): Machine {
  if (shared) return shared
  const simulation = createSimulation()
  const { allocate } = simulation
  shared = {
    ...simulation,
    input: allocate(8 * CHUNK),
    output: allocate(8 * CHUNK),
    grid: allocate(RECORD_BYTES),
    steps: allocate(STEP_TABLE_BYTES),
    stepCodes: allocate(2 * MOST_VALUES),
    values: allocate(8 * 2 ** MOST_BITS),
    presentSteps: undefined,
  }
  return shared
}

/** An unsigned format with an infinity has no code for −∞, so its steps have no values; the definition says so where it is met. */
const hasSteps = ({ bits, signed, onOverflow, onInfinity }: ElementFormat, rounding: Rounding): boolean =>
  bits <= MOST_BITS && rounding !== 'stochastic' && (signed || (onOverflow !== 'infinity' && onInfinity !== 'infinity'))

function putSteps(present: Machine, steps: FormatSteps): void {
  if (present.presentSteps === steps) return
  const { buffer } = present.memory
  new Uint8Array(buffer).set(stepTable(steps), present.steps)
  new Uint16Array(buffer, present.stepCodes, steps.codes.length).set(steps.codes)
  present.presentSteps = steps
}

/** Runs over the chunks of `values`: each is copied to the input and handed over with its place, count and bytes per number. */
function eachChunk(
  { memory, input }: Machine,
  values: Numbers,
  convert: (start: number, count: number, width: number) => void,
): void {
  const place =
    values instanceof Float32Array
      ? new Float32Array(memory.buffer, input, CHUNK)
      : new Float64Array(memory.buffer, input, CHUNK)
  for (let start = 0; start < values.length; start += CHUNK) {
    const part = values.subarray(start, start + CHUNK)
    place.set(part)
    // Kernels look at whole vectors: a NaN that an earlier array left there would count.
    place.fill(0, part.length, part.length + 3)
    convert(start, part.length, values.BYTES_PER_ELEMENT)
  }
}

/**
 * Fills `codes` with the codes of values / scale; gives undefined where there is no kernel, else whether a NaN had no code:
 * then `codes` holds nothing of use.
 */
export function encodeByKernels(
  format: ElementFormat,
  values: Numbers,
  scale: number,
  rounding: Rounding,
  codes: Uint8Array | Uint16Array | Uint32Array,
): boolean | undefined {
  if (values.length < LEAST_LENGTH || format.bits > 16) return undefined
  const grid = octaveGrid(format, rounding)
  // Without a grid and without a division the table of `bulk.ts` is quicker.
  if (grid === undefined && (!hasSteps(format, rounding) || (scale === 1 && values instanceof Float32Array)))
    return undefined
  const present = machine()
  const { kernels, memory, input, output } = present
  const codeWidth = format.bits <= 8 ? 1 : 2
  const made =
    codeWidth === 1 ? new Uint8Array(memory.buffer, output, CHUNK) : new Uint16Array(memory.buffer, output, CHUNK)
  if (grid) new Uint8Array(memory.buffer).set(gridRecord(grid, gridCodes(format)), present.grid)
  else putSteps(present, formatSteps(format, rounding))
  const nanCode = format.onNaN === 'refuse' ? 0 : encodeNaN(format)
  let unordered = 0
  eachChunk(present, values, (start, count, width) => {
    unordered |= grid
      ? kernels.encodeGrid(input, width, output, codeWidth, count, scale, present.grid)
      : kernels.encodeSteps(
          ...([input, width, output, 1, count, scale, present.steps, present.stepCodes, nanCode] as const),
        )
    codes.set(made.subarray(0, count), start)
  })
  return unordered === 1 && format.onNaN === 'refuse'
}

/** Fills `rounded` with decode(encode(value / scale)) × scale; the result as that of {@link encodeByKernels}. */
export function quantizeByKernels(
  format: ElementFormat,
  values: Numbers,
  scale: number,
  rounding: Rounding,
  rounded: Float64Array,
): boolean | undefined {
  if (values.length < LEAST_LENGTH) return undefined
  const grid = octaveGrid(format, rounding)
  if (grid === undefined && !hasSteps(format, rounding)) return undefined
  const present = machine()
  const { kernels, memory, input, output } = present
  if (grid) new Uint8Array(memory.buffer).set(gridRecord(grid), present.grid)
  else putSteps(present, formatSteps(format, rounding))
  const run = grid ? kernels.quantizeGrid : kernels.quantizeSteps
  const table = grid ? present.grid : present.steps
  const made = new Float64Array(memory.buffer, output, CHUNK)
  let unordered = 0
  eachChunk(present, values, (start, count, width) => {
    unordered |= run(input, width, output, count, scale, table)
    rounded.set(made.subarray(0, count), start)
  })
  return unordered === 1 && format.onNaN === 'refuse'
}

/** Fills `values` with those of codes times scale; false where there is no kernel or a code is none of the format's. */
export function decodeByKernels(
  format: ElementFormat,
  codes: ArrayLike<number>,
  scale: number,
  values: Float32Array,
): boolean {
  if (codes.length < LEAST_LENGTH || format.bits > MOST_BITS || !(codes instanceof Uint8Array)) return false
  const { kernels, memory, input, output, values: table } = machine()
  new Float64Array(memory.buffer, table, 2 ** format.bits).set(valueTable(format))
  const place = new Uint8Array(memory.buffer, input, CHUNK)
  const made = new Float32Array(memory.buffer, output, CHUNK)
  for (let start = 0; start < codes.length; start += CHUNK) {
    const part = codes.subarray(start, start + CHUNK)
    place.set(part)
    const most = kernels.decodeCodes(input, 1, output, part.length, scale, table)
    if (most >= 2 ** format.bits) return false
    values.set(made.subarray(0, part.length), start)
  }
  return true
}
