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
// loops. 0: rounding term (i64x2), 80: residual multiplier (i32x4), and by the output's format
//   s8   16: zero point (i16x8), 32: low, 48: high (i8x16), 64: residual zero point (i16x8)
//   s16  16: zero point, 32: low - zero point, 48: high - zero point, 64: residual zero point (i32x4)
//   s32  16: zero point, 32: low, 48: high (i32x4)
//
// Kinds of output in type parameters: i8, i16 and i32 are plain, u8 and u16 add a residual of the same format (rule R4).

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

/** Eight requantised values -> 16-bit codes: limited before the zero point is added, so that nothing saturates early. */
@inline
export function clampHalves(first: v128, second: v128, epilogue: usize): v128 {
  const zero = v128.load(epilogue, 16), low = v128.load(epilogue, 32), high = v128.load(epilogue, 48)
  return i16x8.narrow_i32x4_s(
    i32x4.add(i32x4.min_s(i32x4.max_s(first, low), high), zero),
    i32x4.add(i32x4.min_s(i32x4.max_s(second, low), high), zero),
  )
}

/** Whether the zero point of an s16 epilogue is 0: then narrowing saturates where the limits lie, and may come first. */
@inline
export function isSymmetric(epilogue: usize): bool {
  return !v128.any_true(v128.load(epilogue, 16))
}

/** The limits of a symmetric s16 epilogue as i16x8. */
@inline
export function lowHalves(epilogue: usize): v128 {
  const low = v128.load(epilogue, 32)
  return i16x8.narrow_i32x4_s(low, low)
}
@inline
export function highHalves(epilogue: usize): v128 {
  const high = v128.load(epilogue, 48)
  return i16x8.narrow_i32x4_s(high, high)
}

/** Eight requantised values -> 16-bit codes of zero point 0. */
@inline
export function limitHalves(first: v128, second: v128, low: v128, high: v128): v128 {
  return i16x8.min_s(i16x8.max_s(i16x8.narrow_i32x4_s(first, second), low), high)
}

/** Four residual codes minus their zero point in 32-bit lanes: channels 0-3 of the eight at `residual`, or 4-7. */
@inline
function residualOf<Kind>(residual: usize, epilogue: usize, upper: bool): v128 {
  if (sizeof<Kind>() == 2)
    return i32x4.sub(v128.load_ext<i16>(residual + (upper ? 8 : 0)), v128.load(epilogue, 64))
  const other = i16x8.sub(v128.load_ext<i8>(residual), v128.load(epilogue, 64))
  return upper ? i32x4.extend_high_i16x8_s(other) : i32x4.extend_low_i16x8_s(other)
}

/** Rule R3 before the last shift, or rule R4 for kinds with a residual: biased and shifted values of four channels. */
@inline
export function scaleKind<Kind>(
  value: v128, multipliers: usize, epilogue: usize, residual: usize, residualLeft: i32, upper: bool,
): v128 {
  if (!isSigned<Kind>()) {
    const other = i32x4.shl(residualOf<Kind>(residual, epilogue, upper), residualLeft)
    return scaleSum(value, v128.load(multipliers), other, v128.load(epilogue, 80), v128.load(epilogue))
  }
  return scale(value, v128.load(multipliers), v128.load(epilogue))
}
