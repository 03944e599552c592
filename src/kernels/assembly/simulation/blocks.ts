/**
 * Rounds rows of float32 in blocks that share a scale, as src/formats/blocks.ts defines it: OCP MX (a power of two), NVFP4 (a
 * float of a small format times a float32 of the tensor) and groups of integers (float32). The last block of a row is short.
 */
import { largestPattern } from './operands'
import { roundGrid } from './round-grid'

const POWER: i32 = 0
const TWO_LEVEL: i32 = 1

/** The exponent of a normal or subnormal float32 pattern other than zero. */
function exponentOfPattern(pattern: i32): i32 {
  const field = pattern >> 23
  return field ? field - 127 : -118 - clz(pattern)
}

/** 2^exponent for −1022 … 1023. */
function twoTo(exponent: i32): f64 {
  return reinterpret<f64>(<i64>(exponent + 1023) << 52)
}

/** Zeros, negative for values below zero. */
function clear(input: usize, output: usize, count: i32): void {
  for (; count > 0; count--, input += 4, output += 4)
    store<f32>(output, load<f32>(input) < 0 ? <f32>-0.0 : <f32>0.0)
}

/**
 * `rows` rows of `count` floats, their starts `stride` bytes apart, in blocks of `size`. `kind` is 0 for a power of two, where
 * `greatest` is the exponent of the greatest element; 1 for two levels and 2 for float32, where it is that element. For two
 * levels `tensorScale` is the second level and `scaleGrid` the scale's format. Gives 1 when a block was not finite: such a block
 * is NaN for kind 0, else nothing is promised. A magnitude whose float32 scale overflows gives 2.
 */
export function roundBlocks(
  input: usize, output: usize, rows: i32, count: i32, stride: usize, size: i32, kind: i32, greatest: f64,
  tensorScale: f64, grid: usize, scaleGrid: usize,
): i32 {
  let state = 0
  for (let row = 0; row < rows; row++, input += stride, output += stride) {
    for (let first = 0; first < count; first += size) {
      const part = min(size, count - first)
      const from = input + (<usize>first << 2), to = output + (<usize>first << 2)
      const pattern = largestPattern(from, part)
      if (pattern > 0x7f7fffff) {
        state |= 1
        for (let i: usize = 0; i < <usize>part; i++) store<f32>(to + (i << 2), <f32>NaN)
        continue
      }
      const most = <f64>reinterpret<f32>(pattern)
      let scale: f64
      if (kind == POWER) {
        const exponent = pattern ? exponentOfPattern(pattern) - <i32>greatest : -127
        // Float32 magnitudes and elements of at least 1 stay below the greatest scale, 2^127.
        scale = twoTo(max(-127, exponent))
      } else if (kind == TWO_LEVEL) {
        if (tensorScale == 0) scale = 0
        else scale = roundDouble(most / greatest / tensorScale, scaleGrid) * tensorScale
      } else {
        scale = pattern ? <f64><f32>(most / greatest) : 1
        if (scale == Infinity) state |= 2
      }
      if (scale == 0) clear(from, to, part)
      else roundGrid(from, to, part, scale, grid)
    }
  }
  return state
}

/** One finite double ≥ 0 rounded to nearest even to a saturating grid. */
function roundDouble(value: f64, grid: usize): f64 {
  const size = min(value, load<f64>(grid, 32))
  const octave = reinterpret<f64>(reinterpret<i64>(size) & 0x7ff0000000000000)
  const constant = max(octave, load<f64>(grid, 8)) * load<f64>(grid, 0)
  return min(size + constant - constant, load<f64>(grid, 16))
}
