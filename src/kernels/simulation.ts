/**
 * The kernel module that simulates number formats and arithmetics on float32 in WebAssembly memory: an instance over a memory of
 * the caller's or its own, and what its kernels take. Addresses and strides are in bytes, counts in floats; nothing is checked
 * here. `src/formats/memory-rounding.ts` drives the roundings by format, `simulation-products.ts` the products by rule.
 */
import { DyadicError } from '../error.ts'
import embedded from './embedded/simulation.ts'
import { compileEmbedded } from './module.ts'

/** What src/kernels/assembly/simulation.entry.ts exports. Input and output of a rounding may be the same memory. */
export interface SimulationKernels {
  /** Rounds `count` floats to scale × the grid record at `grid` (`simulation-grid.ts`). Gives 1 where there was a NaN, else 0. */
  roundGrid(input: number, output: number, count: number, scale: number, grid: number): number
  /** The same for `rows` rows of `lanes` floats, a multiple of 4, with one float64 at `scales` per lane. */
  roundGridLanes(input: number, output: number, rows: number, lanes: number, scales: number, grid: number): number
  /** Rounds to scale × the values of the step table at `table` (`simulation-steps.ts`). Gives 1 where there was a NaN, else 0. */
  roundSteps(input: number, output: number, count: number, scale: number, table: number): number
  /** The same for `rows` rows of `lanes` floats with one float64 at `scales` per lane. */
  roundStepsLanes(input: number, output: number, rows: number, lanes: number, scales: number, table: number): number
  /**
   * Rounds `count` floats (`width` 4) or doubles (8) to doubles by a grid, in pairs: what lies beyond an odd count is read, counts
   * where it is NaN, and is written. Gives 1 where there was a NaN, else 0.
   */
  quantizeGrid(input: number, width: number, output: number, count: number, scale: number, grid: number): number
  /** The same by a step table. */
  quantizeSteps(input: number, width: number, output: number, count: number, scale: number, table: number): number
  /**
   * Codes of `codeWidth` bytes (1 or 2) of `count` floats (`width` 4) or doubles (8), by a grid with codes, in fours:
   * what lies beyond the count is read, counts where it is NaN, and is written. Gives 1 where there was a NaN, else 0.
   */
  encodeGrid(
    input: number,
    width: number,
    codes: number,
    codeWidth: number,
    count: number,
    scale: number,
    grid: number,
  ): number
  /**
   * Codes of `codeWidth` bytes (1 or 2) of `count` floats (`width` 4) or doubles (8), by a step table; `stepCodes` holds a
   * uint16 per value of it. NaN becomes `nanCode`. Gives 1 where there was one, else 0.
   */
  encodeSteps(
    input: number,
    width: number,
    codes: number,
    codeWidth: number,
    count: number,
    scale: number,
    table: number,
    stepCodes: number,
    nanCode: number,
  ): number
  /** Floats of codes of `codeWidth` bytes: float64 of the table at `values`, by code, times scale. Gives the largest code. */
  decodeCodes(codes: number, codeWidth: number, output: number, count: number, scale: number, values: number): number
  /**
   * Rounds `rows` rows of `count` floats, `stride` bytes apart, in blocks of `size`. `kind` 0: power of two, `greatest` the
   * exponent of the greatest element; 1: two levels, 2: float32, `greatest` that element. For 1 `tensorScale` is the second
   * level and `scaleGrid` the record of the scale's format. Gives 1 added where a block was not finite, 2 where a scale overflowed.
   */
  roundBlocks(
    input: number,
    output: number,
    rows: number,
    count: number,
    stride: number,
    size: number,
    kind: number,
    greatest: number,
    tensorScale: number,
    grid: number,
    scaleGrid: number,
  ): number
  /** The largest pattern of `count` floats without signs; above 0x7f7fffff where there is an infinity or NaN. */
  largestPattern(input: number, count: number): number
  /** Reduces mantissas to `mantissaBits`: the first ones (`nearest` 0), or half to even (1). Infinities and NaN stay. */
  reduceMantissas(input: number, output: number, count: number, mantissaBits: number, nearest: number): void
  /** Packs B (inner, columns) into panels of 8 columns, [panel][inner][8], zeros beyond. */
  packPanels(b: number, panels: number, inner: number, columns: number, rowStride: number, columnStride: number): void
  /**
   * The float kernel `convolve` with a rule at the end (`simulation-products.ts`): the same arguments and layouts, so it can
   * stand in its place. No more than `channels` floats of a row are written.
   */
  convolveProducts(...parameters: number[]): void
  /** The float kernel `depthwise` with a rule at the end. */
  depthwiseProducts(...parameters: number[]): void
}

/** An instance and the room for its tables. */
export interface Simulation {
  readonly memory: WebAssembly.Memory
  readonly kernels: SimulationKernels
  /**
   * The address of `bytes` new bytes, a multiple of 64. The memory grows where it is too small, which detaches views of its
   * buffer: make them afterwards. Throws `limit` where it cannot grow.
   */
  allocate(bytes: number): number
}

let compiled: WebAssembly.Module | undefined

/** The kernels over `memory`; the module is compiled once per process. */
export function instantiateSimulation(memory: WebAssembly.Memory): SimulationKernels {
  compiled ??= compileEmbedded(embedded)
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as SimulationKernels
}

const PAGE = 65536
const ALIGNMENT = 64
const LARGEST_MEMORY = 2 ** 32 - PAGE

/**
 * An instance over `memory`, or over one of its own. What it allocates lies from `first` (default: the present end of the memory
 * given; 64 in its own) to below `end`. A memory that cannot grow needs both: room that its owner has left.
 */
export function createSimulation(
  memory?: WebAssembly.Memory,
  first: number = memory?.buffer.byteLength ?? ALIGNMENT,
  end: number = LARGEST_MEMORY,
): Simulation {
  const own = memory ?? new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  let next = Math.ceil(first / ALIGNMENT) * ALIGNMENT
  return {
    memory: own,
    kernels: instantiateSimulation(own),
    allocate(bytes) {
      const address = next
      // Kernels read whole vectors: a few bytes beyond the end.
      const after = address + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT + ALIGNMENT
      const missing = after - own.buffer.byteLength
      if (after > end || (missing > 0 && !grows(own, Math.ceil(missing / PAGE))))
        throw new DyadicError(
          'limit',
          `simulation of formats: no room for ${bytes} bytes from ${address} to ${Math.min(end, own.buffer.byteLength)}; give it more`,
        )
      next = after
      return address
    },
  }
}

function grows(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages)
    return true
  } catch {
    return false
  }
}
