/**
 * Codes of evenly spaced octaves (round-grid.ts has the method and the record), four at a time. With C the constant of the
 * octave, the bits of x + C less those of C are x in steps of the octave, and the bits of its power of two less those of the
 * least one count the octaves below: their sum is the ordinal of the format.
 *
 * Behind the record of a rounding, int32 at 80 the greatest and 84 the greatest negative ordinal, 88 the code beyond an end and
 * 92 the bits that a negative sign adds to it, 96 the code of NaN, 100 the sign bit, 104 the code of 0 and 108 the mask of a code;
 * further flags: 4 codes are integers, 8 −0 has a code.
 */

const SATURATE: i32 = 1
const AWAY: i32 = 2
const INTEGER: i32 = 4
const NEGATIVE_ZERO: i32 = 8

// @ts-ignore: decorator
@inline
function singleOrdinals(x: v128, leastPower: v128, lift: v128, limit: v128, dropped: i32, away: bool): v128 {
  const size = i32x4.min_u(v128.and(x, i32x4.splat(i32.MAX_VALUE)), limit)
  const octave = f32x4.pmax(v128.and(size, i32x4.splat(0x7f800000)), leastPower)
  const constant = f32x4.mul(octave, lift)
  const sum = f32x4.add(size, constant)
  let steps = i32x4.sub(sum, constant)
  if (away) {
    const half = f32x4.mul(constant, f32x4.splat(5.9604644775390625e-8))
    steps = i32x4.sub(steps, f32x4.eq(f32x4.sub(size, f32x4.sub(sum, constant)), half))
  }
  return i32x4.add(steps, i32x4.shr_u(i32x4.sub(octave, leastPower), dropped))
}

// @ts-ignore: decorator
@inline
function doubleOrdinals(value: v128, leastPower: v128, lift: v128, limit: v128, dropped: i32, away: bool): v128 {
  const size = f64x2.pmin(v128.and(value, i64x2.splat(i64.MAX_VALUE)), limit)
  const octave = f64x2.pmax(v128.and(size, i64x2.splat(0x7ff0000000000000)), leastPower)
  const constant = f64x2.mul(octave, lift)
  const sum = f64x2.add(size, constant)
  let steps = i64x2.sub(sum, constant)
  if (away) {
    const half = f64x2.mul(constant, f64x2.splat(1.1102230246251565e-16))
    steps = i64x2.sub(steps, f64x2.eq(f64x2.sub(size, f64x2.sub(sum, constant)), half))
  }
  return i64x2.add(steps, i64x2.shr_u(i64x2.sub(octave, leastPower), dropped))
}

/** Codes of ordinals; `signs` and `unordered` are masks. */
// @ts-ignore: decorator
@inline
function codesOf(ordinals: v128, signs: v128, unordered: v128, grid: usize, flags: i32): v128 {
  const end = v128.bitselect(v128.load32_splat(grid, 84), v128.load32_splat(grid, 80), signs)
  const beyond = i32x4.gt_s(ordinals, end)
  const limited = i32x4.min_s(ordinals, end)
  let codes: v128
  if (flags & INTEGER) {
    codes = v128.and(
      i32x4.add(i32x4.sub(v128.xor(limited, signs), signs), v128.load32_splat(grid, 104)), v128.load32_splat(grid, 108),
    )
  } else {
    let signed = v128.and(signs, v128.load32_splat(grid, 100))
    if (!(flags & NEGATIVE_ZERO)) signed = v128.and(signed, i32x4.ne(limited, i32x4.splat(0)))
    codes = v128.or(limited, signed)
  }
  if (!(flags & SATURATE)) {
    const over = v128.or(v128.load32_splat(grid, 88), v128.and(signs, v128.load32_splat(grid, 92)))
    codes = v128.bitselect(over, codes, beyond)
  }
  return v128.bitselect(v128.load32_splat(grid, 96), codes, unordered)
}

// @ts-ignore: decorator
@inline
function storeCodes(at: usize, codes: v128, codeWidth: i32): void {
  const halves = i16x8.narrow_i32x4_u(codes, codes)
  if (codeWidth == 1) store<i32>(at, i32x4.extract_lane(i8x16.narrow_i16x8_u(halves, halves), 0))
  else store<i64>(at, i64x2.extract_lane(halves, 0))
}

/** 2^exponent for −1022 … 1023. */
// @ts-ignore: decorator
@inline
function power(exponent: i32): f64 {
  return reinterpret<f64>(<i64>(exponent + 1023) << 52)
}

// @ts-ignore: decorator
@inline
function encodeSingles(input: usize, codes: usize, codeWidth: i32, count: i32, exponent: i32, grid: usize, away: bool): i32 {
  const flags = load<i32>(grid, 64), dropped = 23 - load<i32>(grid, 76)
  const leastPower = f32x4.splat(<f32>power(load<i32>(grid, 72) + exponent)), lift = f32x4.splat(<f32>power(dropped))
  const limit = f32x4.splat(<f32>power(load<i32>(grid, 68) + exponent))
  let unordered = i32x4.splat(0)
  for (; count > 0; count -= 4, input += 16, codes += <usize>codeWidth << 2) {
    const x = v128.load(input)
    const isNaN = f32x4.ne(x, x)
    unordered = v128.or(unordered, isNaN)
    const ordinals = singleOrdinals(x, leastPower, lift, limit, dropped, away)
    storeCodes(codes, codesOf(ordinals, i32x4.shr_s(x, 31), isNaN, grid, flags), codeWidth)
  }
  return i32(v128.any_true(unordered))
}

// @ts-ignore: decorator
@inline
function encodeDoubles(
  input: usize, width: i32, codes: usize, codeWidth: i32, count: i32, scale: f64, grid: usize, away: bool,
): i32 {
  const flags = load<i32>(grid, 64), dropped = 52 - load<i32>(grid, 76)
  const lift = f64x2.splat(load<f64>(grid, 0)), leastPower = f64x2.splat(load<f64>(grid, 8))
  const limit = f64x2.splat(load<f64>(grid, 32)), scales = f64x2.splat(scale)
  let unordered = i32x4.splat(0)
  for (; count > 0; count -= 4, input += <usize>width << 2, codes += <usize>codeWidth << 2) {
    const x = width == 8 ? v128.load(input) : f64x2.promote_low_f32x4(v128.load64_zero(input))
    const y = width == 8 ? v128.load(input, 16) : f64x2.promote_low_f32x4(v128.load64_zero(input, 8))
    const isNaN = v128.shuffle<i32>(f64x2.ne(x, x), f64x2.ne(y, y), 0, 2, 4, 6)
    unordered = v128.or(unordered, isNaN)
    const ordinals = v128.shuffle<i32>(
      doubleOrdinals(f64x2.div(x, scales), leastPower, lift, limit, dropped, away),
      doubleOrdinals(f64x2.div(y, scales), leastPower, lift, limit, dropped, away), 0, 2, 4, 6,
    )
    const signs = i32x4.shr_s(v128.shuffle<i32>(x, y, 1, 3, 5, 7), 31)
    storeCodes(codes, codesOf(ordinals, signs, isNaN, grid, flags), codeWidth)
  }
  return i32(v128.any_true(unordered))
}

/**
 * Codes of `codeWidth` bytes (1 or 2) of `count` floats (`width` 4) or doubles (8) divided by scale; reads and writes whole
 * fours. Gives 1 where there was a NaN, else 0.
 */
export function encodeGrid(
  input: usize, width: i32, codes: usize, codeWidth: i32, count: i32, scale: f64, grid: usize,
): i32 {
  const field = reinterpret<i64>(scale)
  const exponent = <i32>(field >> 52) - 1023
  const least = load<i32>(grid, 72) + exponent, mantissaBits = load<i32>(grid, 76)
  const away = (load<i32>(grid, 64) & AWAY) != 0
  // The scaled grid, its halves and the constant C at the limit must be normal float32 numbers.
  if (
    width == 4 && (field & 0xfffffffffffff) == 0 && least - mantissaBits >= -124 && least <= 126 &&
    load<i32>(grid, 68) + exponent + 23 - mantissaBits <= 126
  ) {
    return away
      ? encodeSingles(input, codes, codeWidth, count, exponent, grid, true)
      : encodeSingles(input, codes, codeWidth, count, exponent, grid, false)
  }
  return away
    ? encodeDoubles(input, width, codes, codeWidth, count, scale, grid, true)
    : encodeDoubles(input, width, codes, codeWidth, count, scale, grid, false)
}
