// Rule R16: normalisation over the channels of each pixel, rule `exact`. One pass for sum and sum of squares, one root and one
// division per pixel, one pass for the codes. Spare lanes count in neither sum; the last pass computes something for them.
import { loadCodes, storeMixed } from './elementwise'
import { highWords } from './requantize'

/** Lanes of i16x8 that are real channels: the first `count`. */
@inline
export function firstLanes(count: i32): v128 {
  return i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>min(count, 8)))
}

@inline
function horizontal(sums: v128): i32 {
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)
}

/** Sum of the real channels less the zero point; at most 2^15 values of 16 bits. */
@inline
export function sumOf(source: usize, wide: i32, channels: i32, zero: v128): i32 {
  const ones = i16x8.splat(1)
  let sums = i32x4.splat(0)
  for (; channels >= 8; channels -= 8, source += 8 << wide)
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.sub(loadCodes(source, wide), zero), ones))
  if (channels > 0) {
    const x = v128.and(i16x8.sub(loadCodes(source, wide), zero), firstLanes(channels))
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(x, ones))
  }
  return horizontal(sums)
}

/** Sum of squares. Two squares are at most 2^31: 32 bits without sign. */
@inline
function squaresOf(source: usize, wide: i32, channels: i32, zero: v128): u64 {
  let sums = i64x2.splat(0)
  for (; channels > 0; channels -= 8, source += 8 << wide) {
    const x = v128.and(i16x8.sub(loadCodes(source, wide), zero), firstLanes(channels))
    const pairs = i32x4.dot_i16x8_s(x, x)
    sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(pairs), i64x2.extend_high_i32x4_u(pairs)))
  }
  return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1)
}

/** floor(sqrt(value)) for 2^62 <= value: Newton steps down from the tangent at 9/4 of 2^62, which lies above the root. */
@inline
export function rootOf(value: u64): u64 {
  let root = (value >> 31) / 3 + 0x60000002
  while (true) {
    const next = (root + value / root) >> 1
    if (next >= root) return root
    root = next
  }
}

/** Low words of four products shifted right by at most 32, whatever their sign. */
@inline
function lowWords(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
}

/** (difference * factor) >> shift on four lanes; the result fits 32 bits. */
@inline
function normalised(difference: v128, factor: v128, shift: i32): v128 {
  const low = i64x2.extmul_low_i32x4_s(difference, factor), high = i64x2.extmul_high_i32x4_s(difference, factor)
  return shift > 32
    ? i32x4.shr_s(highWords(low, high), shift - 32)
    : lowWords(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift))
}

/** ((n * multiplier >> 32) + bias) >> shift on four lanes; the bias contains the rounding term. */
@inline
export function affine(n: v128, multipliers: usize, biases: usize, shift: i32): v128 {
  const factor = v128.load(multipliers)
  return i32x4.shr_s(
    i32x4.add(
      highWords(i64x2.extmul_low_i32x4_s(n, factor), i64x2.extmul_high_i32x4_s(n, factor)),
      v128.load(biases),
    ),
    shift,
  )
}

/** `biases` contain the rounding term; the epilogue block has 32-bit lanes. Where the mean is taken out the zero point is 0. */
export function normalize(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, pixels: i32, channels: i32, centred: i32, zeroPoint: i32,
  epsilonLow: i32, epsilonHigh: i32, fractionBits: i32, multipliers: usize, biases: usize, highShift: i32, epilogue: usize,
): void {
  const zero = i16x8.splat(<i16>zeroPoint)
  const epsilon = (<u64><u32>epsilonHigh << 32) | <u64><u32>epsilonLow
  const sourceStep = 8 << sourceWide, targetStep = 8 << targetWide
  const count = i32x4.splat(channels)
  for (let p = 0; p < pixels; p++) {
    const sum = centred ? sumOf(source, sourceWide, channels, zero) : 0
    const weighted = <u64>channels * squaresOf(source, sourceWide, channels, zero) - <u64>(<i64>sum * <i64>sum) + epsilon
    let factor = i32x4.splat(0)
    let shift = 32
    if (weighted != 0) {
      const zeros = <i32>clz<u64>(weighted) & -2
      factor = i32x4.splat(<i32>(0x3fffffffffffffff / rootOf(weighted << zeros)))
      shift = 62 - (zeros >> 1) - fractionBits
    }
    const total = i32x4.splat(sum)
    for (let c = 0; c < channels; c += 8, source += sourceStep, target += targetStep) {
      const x = i16x8.sub(loadCodes(source, sourceWide), zero)
      const d0 = i32x4.sub(i32x4.mul(i32x4.extend_low_i16x8_s(x), count), total)
      const d1 = i32x4.sub(i32x4.mul(i32x4.extend_high_i16x8_s(x), count), total)
      storeMixed(
        target,
        affine(normalised(d0, factor, shift), multipliers + (c << 2), biases + (c << 2), highShift),
        affine(normalised(d1, factor, shift), multipliers + (c << 2) + 16, biases + (c << 2) + 16, highShift),
        epilogue, targetWide,
      )
    }
  }
}
