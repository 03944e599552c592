// Rule R13: softmax over the channels of each pixel in three passes: the maximum; the exponentials, which are written to a row
// in scratch memory, and their sum; the codes. Spare lanes count in neither; the last pass computes something for them.
//
// Exponentials are looked up one by one: loads are cheaper than taking lanes apart and putting them together.
import { interleaveHigh, interleaveLow, loadCodes } from './elementwise'

/**
 * (e * share + 2^30) >> 31 on four exponentials, given as two equal lanes of e - 2^15 each, which have 16 bits. Share is
 * 2^16 * (high + high') + low + low' in signed lanes of 16 bits: two dot products, exact in 32 bits.
 */
@inline
function scaledShare(pairs: v128, low: v128, high: v128, lowConstant: v128, highConstant: v128): v128 {
  const carry = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs, low), lowConstant), 16)
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.dot_i16x8_s(pairs, high), highConstant), carry), 15)
}

/** Two lanes of 16 bits with this sum, all over: -2^16 <= sum < 2^16. */
@inline
function halves(sum: i32): v128 {
  const half = sum >> 1
  return i32x4.splat((half & 0xffff) | ((sum - half) << 16))
}

/** Codes of the exponentials of a pixel. */
@inline
function codes<Code>(row: usize, target: usize, stored: i32, share: u32, epilogue: usize): void {
  const low = <i32><i16>share
  const lows = halves(low), highs = halves(<i32>((share - low) >> 16))
  // What e - 2^15 leaves out, and the rounding term: 2^15 * share + 2^30.
  const lowConstant = i32x4.splat((share & 1) << 15), highConstant = i32x4.splat((share >>> 1) + 0x4000)
  const zero = v128.load(epilogue, 16), least = v128.load(epilogue, 32), most = v128.load(epilogue, 48)
  const zeros = i16x8.narrow_i32x4_s(zero, zero)
  const low16 = i16x8.narrow_i32x4_s(least, least), high16 = i16x8.narrow_i32x4_s(most, most)
  const low8 = i8x16.narrow_i16x8_s(low16, low16), high8 = i8x16.narrow_i16x8_s(high16, high16)
  for (const end = row + (stored << 1); row < end; row += 16, target += 8 * sizeof<Code>()) {
    const e = v128.xor(v128.load(row), i16x8.splat(-0x8000))
    const first = scaledShare(interleaveLow(e, e), lows, highs, lowConstant, highConstant)
    const second = scaledShare(interleaveHigh(e, e), lows, highs, lowConstant, highConstant)
    if (sizeof<Code>() == 1) {
      // What saturates in 16 bits is beyond every code of 8, whatever the zero point.
      const sums = i16x8.add_sat_s(i16x8.narrow_i32x4_s(first, second), zeros)
      v128.store64_lane(target, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(sums, sums), low8), high8), 0)
    } else {
      const sums = i16x8.narrow_i32x4_s(i32x4.add(first, zero), i32x4.add(second, zero))
      v128.store(target, i16x8.min_s(i16x8.max_s(sums, low16), high16))
    }
  }
}

/** The largest of the real channels. */
@inline
export function largestOf(source: usize, wide: i32, channels: i32): i32 {
  let largest = i16x8.splat(-32768)
  for (; channels >= 8; channels -= 8, source += 8 << wide) largest = i16x8.max_s(largest, loadCodes(source, wide))
  const real = i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>channels))
  if (channels > 0) largest = i16x8.max_s(largest, v128.bitselect(loadCodes(source, wide), largest, real))
  largest = i16x8.max_s(largest, i8x16.shuffle(largest, largest, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  largest = i16x8.max_s(largest, i8x16.shuffle(largest, largest, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11))
  return max(i16x8.extract_lane_s(largest, 0), i16x8.extract_lane_s(largest, 1))
}

/** The exponential of an 8-bit code, which is kept in the row. `fine` is where code 0 has its entry. */
@inline
function exponential(source: usize, fine: usize, row: usize): i32 {
  const e = load<i32>(fine + (<i32>load<i8>(source) << 2))
  store<u16>(row, e)
  return e
}

/** The exponential of the difference that the row holds, in its place. */
@inline
function exponentialWide(row: usize, coarse: usize, fine: usize): i32 {
  const large = load<i32>(coarse + (<usize>load<u8>(row, 1) << 2)), small = load<i32>(fine + (<usize>load<u8>(row) << 2))
  const e = (large * small + 0x4000) >> 15
  store<u16>(row, e)
  return e
}

/** Keeps the exponentials of 8-bit codes; their sum. The coarse factor is 2^15 there, which changes nothing. */
@inline
function exponentials(source: usize, channels: i32, largest: i32, table: usize, row: usize): u32 {
  const fine = table + ((255 - largest) << 2)
  let sum0 = 0, sum1 = 0
  for (; channels >= 8; channels -= 8, source += 8, row += 16) {
    sum0 += exponential(source, fine, row)
    sum1 += exponential(source + 1, fine, row + 2)
    sum0 += exponential(source + 2, fine, row + 4)
    sum1 += exponential(source + 3, fine, row + 6)
    sum0 += exponential(source + 4, fine, row + 8)
    sum1 += exponential(source + 5, fine, row + 10)
    sum0 += exponential(source + 6, fine, row + 12)
    sum1 += exponential(source + 7, fine, row + 14)
  }
  for (; channels > 0; channels--, source++, row += 2) sum0 += exponential(source, fine, row)
  return <u32>(sum0 + sum1)
}

/** Keeps the exponentials of 16-bit codes; their sum. */
@inline
function exponentialsWide(source: usize, channels: i32, largest: i32, coarse: usize, fine: usize, row: usize): u32 {
  const maximum = i16x8.splat(<i16>largest)
  let sum0 = 0, sum1 = 0
  for (; channels > 0; channels -= 8, source += 16, row += 16) {
    // 65535 less the difference.
    v128.store(row, v128.not(i16x8.sub(maximum, v128.load(source))))
    if (channels >= 8) {
      sum0 += exponentialWide(row, coarse, fine)
      sum1 += exponentialWide(row + 2, coarse, fine)
      sum0 += exponentialWide(row + 4, coarse, fine)
      sum1 += exponentialWide(row + 6, coarse, fine)
      sum0 += exponentialWide(row + 8, coarse, fine)
      sum1 += exponentialWide(row + 10, coarse, fine)
      sum0 += exponentialWide(row + 12, coarse, fine)
      sum1 += exponentialWide(row + 14, coarse, fine)
    } else for (let c = 0; c < channels; c++) sum0 += exponentialWide(row + 2 * c, coarse, fine)
  }
  return <u32>(sum0 + sum1)
}

/**
 * Both tables go by growing codes: entry i is the exponential of the difference 255 - i. `row` has room for the exponentials of
 * a pixel, 16 bits for each stored channel. The epilogue block has 32-bit lanes.
 */
export function softmax(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, pixels: i32, channels: i32,
  coarse: usize, fine: usize, one: i32, row: usize, epilogue: usize,
): void {
  const stored = (channels + 7) & -8
  for (let p = 0; p < pixels; p++, source += stored << sourceWide) {
    const largest = largestOf(source, sourceWide, channels)
    // At most 65,536 exponentials of at most 2^15: the sum fits 32 unsigned bits.
    const sum = sourceWide
      ? exponentialsWide(source, channels, largest, coarse, fine, row)
      : exponentials(source, channels, largest, fine, row)
    const share = <u32>((<u64>one << 31) / <u64>sum)
    if (targetWide) codes<i16>(row, target, stored, share, epilogue)
    else codes<i8>(row, target, stored, share, epilogue)
    target += stored << targetWide
  }
}
