// Rule R3 on four int32 lanes: floor((value * multiplier + 2^(shift-1)) / 2^shift) with 32 <= shift <= 62.
// The two 64-bit lane pairs hold the exact products; the odd 32-bit words are the high words, so the 64-bit shift is a
// shuffle followed by a 32-bit arithmetic shift.

/** High words of the four products plus rounding term. */
@inline
export function highWords(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
}

/** Rule R3 before the last shift: the high words of value * multiplier + rounding term. */
@inline
export function scale(value: v128, multiplier: v128, rounding: v128): v128 {
  return highWords(
    i64x2.add(i64x2.extmul_low_i32x4_s(value, multiplier), rounding),
    i64x2.add(i64x2.extmul_high_i32x4_s(value, multiplier), rounding),
  )
}

/** Rule R4 before the last shift. */
@inline
export function scaleSum(value: v128, multiplier: v128, other: v128, otherMultiplier: v128, rounding: v128): v128 {
  return highWords(
    i64x2.add(
      i64x2.add(i64x2.extmul_low_i32x4_s(value, multiplier), i64x2.extmul_low_i32x4_s(other, otherMultiplier)),
      rounding,
    ),
    i64x2.add(
      i64x2.add(i64x2.extmul_high_i32x4_s(value, multiplier), i64x2.extmul_high_i32x4_s(other, otherMultiplier)),
      rounding,
    ),
  )
}

/** Rule R3 on four lanes. */
@inline
export function requantize(value: v128, multiplier: v128, rounding: v128, highShift: i32): v128 {
  return i32x4.shr_s(scale(value, multiplier, rounding), highShift)
}

// The epilogue block: constants of one instruction in memory, read as memory operands so that they cost no register in the
// loops. 0: rounding term (i64x2), 16: zero point, 32: low, 48: high (i16x8, or i32x4 for wide outputs),
// 64: residual zero point (i16x8), 80: residual multiplier (i32x4).

/** Eight requantised values with their zero point, as i16x8. */
@inline
export function withZeroPoint(first: v128, second: v128, epilogue: usize): v128 {
  return i16x8.add_sat_s(i16x8.narrow_i32x4_s(first, second), v128.load(epilogue, 16))
}

/** Two rows of eight values to bytes, clamped. */
@inline
export function clampCodes(row0: v128, row1: v128, epilogue: usize): v128 {
  return i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(row0, row1), v128.load(epilogue, 32)), v128.load(epilogue, 48))
}

/** Eight requantised values -> zero point, clamp, one 64-bit store. */
@inline
export function storeCodes(target: usize, first: v128, second: v128, epilogue: usize): void {
  const row = withZeroPoint(first, second, epilogue)
  v128.store64_lane(target, clampCodes(row, row, epilogue), 0)
}
