// Rule R13: softmax over the channels of each pixel in three passes (maximum, sum of exponentials, codes). Spare lanes never
// count: the maximum and the sum mask them; the last pass computes something for them, from table entries that exist.
import { loadCodes, storeMixed } from './elementwise'

/** Lanes of i32x4 that are real channels: the first `count`. */
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
}

/** The four entries of a table of int32 at byte offsets in 16-bit lanes `upper`·4 … `upper`·4 + 3. */
@inline
export function gather(table: usize, offsets: v128, upper: bool): v128 {
  let entries = v128.load32_zero(table + (upper ? i16x8.extract_lane_u(offsets, 4) : i16x8.extract_lane_u(offsets, 0)))
  entries = v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 5) : i16x8.extract_lane_u(offsets, 1)), entries, 1)
  entries = v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 6) : i16x8.extract_lane_u(offsets, 2)), entries, 2)
  return v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 7) : i16x8.extract_lane_u(offsets, 3)), entries, 3)
}

/** Exponentials of four differences. Of 8-bit codes the coarse factor is 2^15, which changes nothing. */
@inline
function exponentials(difference: v128, upper: bool, wide: i32, coarse: usize, fine: usize): v128 {
  const small = gather(fine, i16x8.shl(v128.and(difference, i16x8.splat(255)), 2), upper)
  if (!wide) return small
  const large = gather(coarse, i16x8.shl(i16x8.shr_u(difference, 8), 2), upper)
  return i32x4.shr_s(i32x4.add(i32x4.mul(large, small), i32x4.splat(0x4000)), 15)
}

/** (e * share + 2^30) >> 31 on four lanes: the high word of 2e * share + 2^31. share <= 2^31 is unsigned. */
@inline
function scaledShare(e: v128, share: v128, rounding: v128): v128 {
  const twice = i32x4.shl(e, 1)
  return i8x16.shuffle(
    i64x2.add(i64x2.extmul_low_i32x4_u(twice, share), rounding),
    i64x2.add(i64x2.extmul_high_i32x4_u(twice, share), rounding),
    4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31,
  )
}

/** The largest of the real channels. */
@inline
export function largestOf(source: usize, wide: i32, channels: i32): i32 {
  let largest = i16x8.splat(-32768)
  for (; channels > 0; channels -= 8, source += 8 << wide) {
    const real = i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>min(channels, 8)))
    largest = i16x8.max_s(largest, v128.bitselect(loadCodes(source, wide), i16x8.splat(-32768), real))
  }
  largest = i16x8.max_s(largest, i8x16.shuffle(largest, largest, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  largest = i16x8.max_s(largest, i8x16.shuffle(largest, largest, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11))
  return max(i16x8.extract_lane_s(largest, 0), i16x8.extract_lane_s(largest, 1))
}

/** The epilogue block has 32-bit lanes. */
export function softmax(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, pixels: i32, channels: i32,
  coarse: usize, fine: usize, one: i32, epilogue: usize,
): void {
  const sourceStep = 8 << sourceWide, targetStep = 8 << targetWide
  const rounding = i64x2.splat(0x80000000)
  for (let p = 0; p < pixels; p++) {
    let from = source
    const maximum = i16x8.splat(<i16>largestOf(source, sourceWide, channels))

    let sums = i32x4.splat(0)
    from = source
    for (let c = channels; c > 0; c -= 8, from += sourceStep) {
      const difference = i16x8.sub(maximum, loadCodes(from, sourceWide))
      sums = i32x4.add(sums, v128.and(exponentials(difference, false, sourceWide, coarse, fine), firstLanes(c)))
      sums = i32x4.add(sums, v128.and(exponentials(difference, true, sourceWide, coarse, fine), firstLanes(c - 4)))
    }
    // At most 65,536 exponentials of at most 2^15: the sum fits 32 unsigned bits.
    const sum = <u32>(
      i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3)
    )
    const share = i32x4.splat(<i32>((<u64>one << 31) / <u64>sum))

    for (let c = channels; c > 0; c -= 8, source += sourceStep, target += targetStep) {
      const difference = i16x8.sub(maximum, loadCodes(source, sourceWide))
      storeMixed(
        target,
        scaledShare(exponentials(difference, false, sourceWide, coarse, fine), share, rounding),
        scaledShare(exponentials(difference, true, sourceWide, coarse, fine), share, rounding),
        epilogue, targetWide,
      )
    }
  }
}
