/**
 * Softmax over long float32 vectors in WebAssembly: the two-pass algorithm (Dukhan and Ablavatski 2020), the two usual
 * three-pass algorithms, and the default (softmax-blocked.ts), which has the exact exponents of the first and the stored
 * exponentials of the others and is the quickest. The rules of softmax-reference.ts hold for all.
 *
 * An instance has a fixed memory, allotted once: vectors from outside go through a stage, in parts if they are long, so that
 * any length works and nothing ever grows; vectors that lie in the instance's workspace are worked on where they are.
 *
 * Elements are within 3.7e-7 of the exact ones (blocked: 4.5e-7 where nearly all numbers are equal), relatively, as far as these
 * are 2^−126 or more; smaller ones are 0 or some number below 2^−126. The three-pass algorithms, and all where the largest
 * number is not from −1300 to 1300, round x − maximum: there the bound is 3.7e-7 plus 6e-8·(maximum − x).
 */
import { DyadicError, quoted } from '../error.ts'
import kernelModule from '../kernels/embedded/softmax.ts'
import { compileEmbedded } from '../kernels/module.ts'
import { BLOCK_FLOATS, type BlockedKernels, LARGEST_EXPONENT, softmaxBlocked } from './softmax-blocked.ts'
import { requireElements } from './softmax-reference.ts'

/** How the vector is gone through. All read the input; the numbers are floats read and written per element. */
export const ALGORITHMS = [
  /** The exponentials' sum without a maximum, then the exponentials again (2 + 1). */
  'two-pass',
  /** Maximum, sum, the exponentials again (3 + 1). */
  'three-pass-recompute',
  /** Maximum, sum with the exponentials stored, these again (3 + 2). */
  'three-pass-reload',
  /** Block by block, the sum with the exponentials stored over a power of two, these again (2 + 2). */
  'blocked',
] as const

/** A way to go through the vector; all give the same up to float32 rounding. */
export type SoftmaxAlgorithm = (typeof ALGORITHMS)[number]

/** The total of a vector's exponentials: mantissa·2^exponent, the exponent that of the largest. */
export interface ExtendedSum {
  readonly mantissa: number
  readonly exponent: number
}

/** An instance in WebAssembly with its memory. Not shared between threads. */
export interface Softmax {
  /** Memory of the instance for vectors that shall not be copied: take subarrays of it. */
  readonly workspace: Float32Array
  /**
   * Softmax of `values` into `output` (a new array when left out; `values` itself works in place), which is given back.
   * Throws `usage` for an empty vector, for an output of another length, and for one that overlaps `values` otherwise.
   */
  softmax(values: Float32Array, output?: Float32Array, algorithm?: SoftmaxAlgorithm): Float32Array
  /**
   * Σ e^x by the first pass alone. Every x of weight must lie between −1300 and 1300: else (or with a NaN, or nothing but −∞)
   * `refused` is thrown, or `usage` for an empty vector.
   */
  extendedSum(values: Float32Array): ExtendedSum
  /** e^x as mantissa·2^exponent, mantissas from 0.7071 to 1.4143. Throws `usage` unless −1400 ≤ x ≤ 1400. */
  exponentials(values: Float32Array): { readonly mantissas: Float32Array; readonly exponents: Int32Array }
}

interface Kernels extends BlockedKernels {
  extendedExponential(input: number, mantissas: number, exponents: number, count: number): void
  sumExtended(input: number, count: number, state: number): void
  scaleExtended(input: number, output: number, count: number, inverse: number, exponent: number): void
  sumBelow(input: number, count: number, largest: number): number
  scaleBelow(input: number, output: number, count: number, largest: number, inverse: number, exponent: number): void
}

const PAGE = 65536
/** Total and exponent of the first pass: 12 bytes. */
const STATE = 16
const STAGE = PAGE
/** 512 KiB: vectors up to this long are copied in and out once and stay in the second cache meanwhile. */
const STAGE_FLOATS = 2 ** 17
/** Longer ones go through the stage in chunks that stay in cache: a whole number of the 1024 summed as one. */
const CHUNK_FLOATS = 8192
/** A block of input for the blocked algorithm stands before its stage. */
const INPUT = STAGE - 4 * BLOCK_FLOATS
const WORKSPACE = STAGE + 4 * STAGE_FLOATS
/** What the kernels' module was compiled for. */
const MOST_PAGES = 65536
/** 2 GiB: ends of vectors stay well inside 32-bit addresses. */
const MOST_FLOATS = 2 ** 29
const NO_EXPONENT = -4096

let compiled: WebAssembly.Module | undefined

/** sum = 2^exponent/inverse with `inverse` from 0.75 to 1.5, as the last pass wants it. */
function inverseOf(sum: number): { inverse: number; exponent: number } {
  const exponent = Math.floor(Math.log2(sum * 1.5))
  return { inverse: 2 ** exponent / sum, exponent }
}

/**
 * A new instance with room for `workspace` floats (none when left out) beside the stage. Throws `usage` when the number is
 * no integer from 0 to 2^29.
 */
export function createSoftmax({ workspace: floats = 0 }: { readonly workspace?: number } = {}): Softmax {
  const pages = WORKSPACE / PAGE + Math.ceil((floats * 4) / PAGE)
  if (!Number.isInteger(floats) || floats < 0 || floats > MOST_FLOATS)
    throw new DyadicError('usage', `a workspace of ${floats} floats; it must be an integer from 0 to ${MOST_FLOATS}`)
  compiled ??= compileEmbedded(kernelModule)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES })
  const kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels
  const stage = new Float32Array(memory.buffer, STAGE, STAGE_FLOATS)
  const state = new DataView(memory.buffer, STATE, 12)
  const places = {
    ...{ floats: new Float32Array(memory.buffer), input: INPUT, stage: STAGE },
    stageBlocks: STAGE_FLOATS / BLOCK_FLOATS,
  }

  /** Calls a reading kernel with (address, count), on the vector itself or on one staged chunk after the other. */
  function read(values: Float32Array, kernel: (input: number, count: number) => void): void {
    if (values.buffer === memory.buffer) kernel(values.byteOffset, values.length)
    else
      for (let first = 0; first < values.length; first += CHUNK_FLOATS) {
        const chunk = values.subarray(first, first + CHUNK_FLOATS)
        stage.set(chunk)
        kernel(STAGE, chunk.length)
      }
  }

  /** The same for a kernel that also writes as many floats. */
  function map(
    values: Float32Array,
    output: Float32Array,
    kernel: (input: number, output: number, count: number) => void,
  ): void {
    if (values.buffer === memory.buffer && output.buffer === memory.buffer)
      kernel(values.byteOffset, output.byteOffset, values.length)
    else
      for (let first = 0; first < values.length; first += CHUNK_FLOATS) {
        const chunk = values.subarray(first, first + CHUNK_FLOATS)
        stage.set(chunk)
        kernel(STAGE, STAGE, chunk.length)
        output.set(stage.subarray(0, chunk.length), first)
      }
  }

  function firstPass(values: Float32Array): ExtendedSum {
    state.setFloat64(0, 0, true)
    state.setInt32(8, NO_EXPONENT, true)
    read(values, (input, count) => kernels.sumExtended(input, count, STATE))
    return { mantissa: state.getFloat64(0, true), exponent: state.getInt32(8, true) }
  }

  const trusted = (exponent: number): boolean => Math.abs(exponent) <= LARGEST_EXPONENT

  function twoPass(values: Float32Array, output: Float32Array): void {
    const { mantissa, exponent } = firstPass(values)
    if (!trusted(exponent)) threePass(values, output, false)
    else if (Number.isNaN(mantissa)) output.fill(Number.NaN)
    else {
      const rest = inverseOf(mantissa)
      map(values, output, (input, to, count) =>
        kernels.scaleExtended(input, to, count, rest.inverse, exponent + rest.exponent),
      )
    }
  }

  function threePass(values: Float32Array, output: Float32Array, reload: boolean): void {
    let largest = -Infinity
    read(values, (input, count) => {
      largest = kernels.maximum(input, count, largest)
    })
    if (!Number.isFinite(largest)) {
      output.fill(largest === -Infinity ? 0 : Number.NaN)
      return
    }
    let sum = 0
    if (reload) {
      map(values, output, (input, to, count) => {
        sum += kernels.storeBelow(input, to, count, largest)
      })
      map(output, output, (input, to, count) => kernels.multiply(input, to, count, 1 / sum))
    } else {
      read(values, (input, count) => {
        sum += kernels.sumBelow(input, count, largest)
      })
      const { inverse, exponent } = inverseOf(sum)
      map(values, output, (input, to, count) => kernels.scaleBelow(input, to, count, largest, inverse, exponent))
    }
  }

  function compute(values: Float32Array, output: Float32Array, algorithm: SoftmaxAlgorithm): void {
    if (algorithm === 'blocked') softmaxBlocked(kernels, places, values, output)
    else if (algorithm === 'two-pass') twoPass(values, output)
    else threePass(values, output, algorithm === 'three-pass-reload')
  }

  return {
    workspace: new Float32Array(memory.buffer, WORKSPACE, floats),
    softmax(values, output = new Float32Array(values.length), algorithm = 'blocked') {
      requireElements(values.length)
      requirePlace(values, output)
      if (!ALGORITHMS.includes(algorithm))
        throw new DyadicError(
          'usage',
          `the softmax algorithm ${quoted(String(algorithm))} is none of ${ALGORITHMS.join(', ')}`,
        )
      if (algorithm === 'blocked' || values.buffer === memory.buffer || values.length > STAGE_FLOATS)
        compute(values, output, algorithm)
      else {
        const place = stage.subarray(0, values.length)
        place.set(values)
        compute(place, place, algorithm)
        output.set(place)
      }
      return output
    },
    extendedSum(values) {
      requireElements(values.length)
      const sum = firstPass(values)
      if (!trusted(sum.exponent) || Number.isNaN(sum.mantissa))
        throw new DyadicError(
          'refused',
          'a sum of exponentials whose largest number is not from −1300 to 1300, or with a NaN: subtract the maximum first',
        )
      return sum
    },
    exponentials(values) {
      const wrong = values.find((value) => !(Math.abs(value) <= 1400))
      if (wrong !== undefined)
        throw new DyadicError(
          'usage',
          `the exponential of ${wrong} as mantissa and exponent; x must be from −1400 to 1400`,
        )
      const mantissas = new Float32Array(values.length)
      const exponents = new Int32Array(values.length)
      // Input, mantissas and exponents lie one behind the other.
      const part = CHUNK_FLOATS
      const staged = new Int32Array(memory.buffer, STAGE + 8 * part, part)
      for (let first = 0; first < values.length; first += part) {
        const chunk = values.subarray(first, first + part)
        stage.set(chunk)
        kernels.extendedExponential(STAGE, STAGE + 4 * part, STAGE + 8 * part, (chunk.length + 3) & ~3)
        mantissas.set(stage.subarray(part, part + chunk.length), first)
        exponents.set(staged.subarray(0, chunk.length), first)
      }
      return { mantissas, exponents }
    },
  }
}

/** The output has the input's length and is the input, or lies wholly elsewhere. */
function requirePlace(values: Float32Array, output: Float32Array): void {
  if (values.length !== output.length)
    throw new DyadicError(
      'usage',
      `${values.length} numbers and room for ${output.length} results; give arrays of one length`,
    )
  const distance = Math.abs(values.byteOffset - output.byteOffset)
  if (values.buffer === output.buffer && distance !== 0 && distance < 4 * values.length)
    throw new DyadicError(
      'usage',
      'the output overlaps the input; give the input itself, or an array that lies elsewhere',
    )
}
