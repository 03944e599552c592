// Rule R3 on four int32 lanes: floor((value * multiplier + 2^(shift-1)) / 2^shift) with 32 <= shift <= 62.
// The two 64-bit lane pairs hold the exact products; the odd 32-bit words are the high words, so the 64-bit shift is a
// shuffle followed by a 32-bit arithmetic shift.

/** High words of the four products plus rounding term. */
@inline
export function highWords(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
}

@inline
export function requantize(value: v128, multiplier: v128, rounding: v128, highShift: i32): v128 {
  return i32x4.shr_s(
    highWords(
      i64x2.add(i64x2.extmul_low_i32x4_s(value, multiplier), rounding),
      i64x2.add(i64x2.extmul_high_i32x4_s(value, multiplier), rounding),
    ),
    highShift,
  )
}

/** Rule R4: the same with a second product under the one rounding. */
@inline
export function requantizeSum(
  value: v128, multiplier: v128, other: v128, otherMultiplier: v128, rounding: v128, highShift: i32,
): v128 {
  return i32x4.shr_s(
    highWords(
      i64x2.add(
        i64x2.add(i64x2.extmul_low_i32x4_s(value, multiplier), i64x2.extmul_low_i32x4_s(other, otherMultiplier)),
        rounding,
      ),
      i64x2.add(
        i64x2.add(i64x2.extmul_high_i32x4_s(value, multiplier), i64x2.extmul_high_i32x4_s(other, otherMultiplier)),
        rounding,
      ),
    ),
    highShift,
  )
}

/** Eight requantised values -> zero point, clamp, one 64-bit store. Saturation at int16 lies outside every clamp interval. */
@inline
export function storeCodes(target: usize, first: v128, second: v128, zeroPoint: v128, low: v128, high: v128): void {
  let codes = i16x8.add_sat_s(i16x8.narrow_i32x4_s(first, second), zeroPoint)
  codes = i16x8.min_s(i16x8.max_s(codes, low), high)
  v128.store64_lane(target, i8x16.narrow_i16x8_s(codes, codes), 0)
}
