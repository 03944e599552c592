/**
 * Rounds float32 numbers to evenly spaced octaves: minifloats and integers, to nearest, ties to even or away. The record at
 * `grid` (src/kernels/simulation-grid.ts writes it) says what the format is; see FIELDS there.
 *
 * Adding and subtracting C = 2^(max(e, least exponent) + p − m), for a float of p + 1 significant bits with exponent e,
 * leaves a multiple of 2^(max(e, least exponent) − m): the addition's own rounding, to nearest even, is the format's. The
 * sum stays below 2C because magnitudes are first limited to a power of two at which C is finite.
 *
 * Where the scale is a power of two, the values scale × grid are a grid too, and float32 lanes do everything. Everywhere
 * else x / scale is taken in double precision, as src/formats/bulk.ts does, and rounded there.
 */

const AWAY: i32 = 2

// @ts-ignore: decorator
@inline
function singleRound(
  x: v128, leastPower: v128, lift: v128, high: v128, low: v128, limit: v128, special: v128,
  zero: v128, away: bool,
): v128 {
  const signs = v128.and(x, i32x4.splat(i32.MIN_VALUE))
  const bits = v128.and(x, i32x4.splat(i32.MAX_VALUE))
  const size = i32x4.min_u(bits, limit)
  const constant = f32x4.mul(f32x4.pmax(v128.and(size, i32x4.splat(0x7f800000)), leastPower), lift)
  let rounded = f32x4.sub(f32x4.add(size, constant), constant)
  if (away) {
    const half = f32x4.mul(constant, f32x4.splat(5.9604644775390625e-8))
    const isTie = f32x4.eq(f32x4.sub(size, rounded), half)
    rounded = f32x4.add(rounded, v128.and(isTie, f32x4.add(half, half)))
  }
  const end = v128.bitselect(low, high, i32x4.shr_s(x, 31))
  rounded = f32x4.add(f32x4.pmin(rounded, end), v128.and(f32x4.gt(rounded, end), special))
  rounded = f32x4.add(v128.or(rounded, signs), zero)
  return v128.or(rounded, f32x4.ne(x, x))
}

/**
 * The same to nearest even for grids that reach the ends of float32: mantissas are rounded as integers, where adding C would
 * overflow, and numbers below the least octave by adding `lift`, the C of that octave.
 */
// @ts-ignore: decorator
@inline
function patternRound(
  x: v128, leastPower: v128, lift: v128, high: v128, low: v128, special: v128, zero: v128,
  dropped: i32, bump: v128, keep: v128,
): v128 {
  const size = v128.and(x, i32x4.splat(i32.MAX_VALUE))
  const odd = v128.and(i32x4.shr_u(size, dropped), i32x4.splat(1))
  const large = v128.and(i32x4.add(i32x4.add(size, bump), odd), keep)
  const small = f32x4.sub(f32x4.add(size, lift), lift)
  let rounded = v128.bitselect(small, large, f32x4.lt(size, leastPower))
  const end = v128.bitselect(low, high, i32x4.shr_s(x, 31))
  rounded = f32x4.add(f32x4.pmin(rounded, end), v128.and(f32x4.gt(rounded, end), special))
  rounded = f32x4.add(v128.or(rounded, v128.and(x, i32x4.splat(i32.MIN_VALUE))), zero)
  return v128.or(rounded, f32x4.ne(x, x))
}

// @ts-ignore: decorator
@inline
function doubleRound(
  value: v128, leastPower: v128, lift: v128, high: v128, low: v128, limit: v128, special: v128,
  zero: v128, away: bool,
): v128 {
  const signs = v128.and(value, i64x2.splat(i64.MIN_VALUE))
  const size = f64x2.pmin(v128.and(value, i64x2.splat(i64.MAX_VALUE)), limit)
  const constant = f64x2.mul(f64x2.pmax(v128.and(size, i64x2.splat(0x7ff0000000000000)), leastPower), lift)
  let rounded = f64x2.sub(f64x2.add(size, constant), constant)
  if (away) {
    const half = f64x2.mul(constant, f64x2.splat(1.1102230246251565e-16))
    const isTie = f64x2.eq(f64x2.sub(size, rounded), half)
    rounded = f64x2.add(rounded, v128.and(isTie, f64x2.add(half, half)))
  }
  const end = v128.bitselect(low, high, f64x2.lt(value, f64x2.splat(0)))
  rounded = f64x2.add(f64x2.pmin(rounded, end), v128.and(f64x2.gt(rounded, end), special))
  return f64x2.add(v128.or(rounded, signs), zero)
}

/** Replaces the NaN among `count` floats or doubles by 0 where the record says so. Gives `unordered`, whether there are any. */
function replaceNaN(unordered: i32, output: usize, width: i32, count: i32, grid: usize): i32 {
  if (unordered && load<f64>(grid, 56) == 0) {
    for (const end = output + <usize>count * <usize>width; output < end; output += <usize>width) {
      if (width == 4) {
        if (isNaN<f32>(load<f32>(output))) store<f32>(output, 0)
      } else if (isNaN<f64>(load<f64>(output))) store<f64>(output, 0)
    }
  }
  return unordered
}

/** 2^exponent for −1022 … 1023. */
// @ts-ignore: decorator
@inline
function power(exponent: i32): f64 {
  return reinterpret<f64>(<i64>(exponent + 1023) << 52)
}

/** Four floats at `input` beyond whose first `count` zeros stand. */
// @ts-ignore: decorator
@inline
function loadPart(input: usize, count: i32): v128 {
  let x = v128.load32_zero(input)
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(input, 4))
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(input, 8))
  return x
}

// @ts-ignore: decorator
@inline
function storePart(output: usize, y: v128, count: i32): void {
  store<f32>(output, f32x4.extract_lane(y, 0))
  if (count > 1) store<f32>(output, f32x4.extract_lane(y, 1), 4)
  if (count > 2) store<f32>(output, f32x4.extract_lane(y, 2), 8)
}

// @ts-ignore: decorator
@inline
function singles(input: usize, output: usize, count: i32, scale: f64, exponent: i32, grid: usize, away: bool): i32 {
  const leastPower = f32x4.splat(<f32>power(load<i32>(grid, 72) + exponent))
  const lift = f32x4.splat(<f32>power(23 - load<i32>(grid, 76)))
  const high = f32x4.splat(<f32>(load<f64>(grid, 16) * scale)), low = f32x4.splat(<f32>(load<f64>(grid, 24) * scale))
  const limit = f32x4.splat(<f32>(load<f64>(grid, 32) * scale))
  const special = f32x4.splat(<f32>load<f64>(grid, 40)), zero = f32x4.splat(<f32>load<f64>(grid, 48))
  let unordered = i32x4.splat(0)
  for (; count >= 4; count -= 4, input += 16, output += 16) {
    const x = v128.load(input)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    v128.store(output, singleRound(x, leastPower, lift, high, low, limit, special, zero, away))
  }
  if (count > 0) {
    const x = loadPart(input, count)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    const y = singleRound(x, leastPower, lift, high, low, limit, special, zero, away)
    storePart(output, y, count)
  }
  return i32(v128.any_true(unordered))
}

function patterns(input: usize, output: usize, count: i32, scale: f64, exponent: i32, grid: usize): i32 {
  const least = load<i32>(grid, 72) + exponent, dropped = 23 - load<i32>(grid, 76)
  const leastPower = f32x4.splat(<f32>power(least)), lift = f32x4.splat(<f32>power(least + dropped))
  const high = f32x4.splat(<f32>(load<f64>(grid, 16) * scale)), low = f32x4.splat(<f32>(load<f64>(grid, 24) * scale))
  const special = f32x4.splat(<f32>load<f64>(grid, 40)), zero = f32x4.splat(<f32>load<f64>(grid, 48))
  const bump = i32x4.splat((1 << (dropped - 1)) - 1), keep = i32x4.splat(-1 << dropped)
  let unordered = i32x4.splat(0)
  for (; count >= 4; count -= 4, input += 16, output += 16) {
    const x = v128.load(input)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    v128.store(
      output, patternRound(x, leastPower, lift, high, low, special, zero, dropped, bump, keep),
    )
  }
  if (count > 0) {
    const x = loadPart(input, count)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    const y = patternRound(x, leastPower, lift, high, low, special, zero, dropped, bump, keep)
    storePart(output, y, count)
  }
  return i32(v128.any_true(unordered))
}

/** Two quotients rounded to the grid and multiplied back; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function roundPair(
  x: v128, scale: v128, leastPower: v128, lift: v128, high: v128, low: v128, limit: v128, special: v128,
  zero: v128, away: bool,
): v128 {
  const rounded = doubleRound(
    f64x2.div(x, scale), leastPower, lift, high, low, limit, special, zero, away,
  )
  return f64x2.mul(rounded, scale)
}

/** Four floats rounded, with two pairs of scales. */
// @ts-ignore: decorator
@inline
function roundFour(
  x: v128, scale01: v128, scale23: v128, leastPower: v128, lift: v128, high: v128, low: v128, limit: v128, special: v128,
  zero: v128, away: bool,
): v128 {
  const y01 = roundPair(
    f64x2.promote_low_f32x4(x), scale01, leastPower, lift, high, low, limit, special, zero, away,
  )
  const y23 = roundPair(
    f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3)), scale23,
    leastPower, lift, high, low, limit, special, zero, away,
  )
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(y01), f32x4.demote_f64x2_zero(y23), 0, 1, 4, 5)
}

// @ts-ignore: decorator
@inline
function doubles(input: usize, output: usize, count: i32, scale: f64, grid: usize, away: bool): i32 {
  const leastPower = f64x2.splat(load<f64>(grid, 8)), lift = f64x2.splat(load<f64>(grid, 0))
  const high = f64x2.splat(load<f64>(grid, 16)), low = f64x2.splat(load<f64>(grid, 24))
  const limit = f64x2.splat(load<f64>(grid, 32)), special = f64x2.splat(load<f64>(grid, 40))
  const zero = f64x2.splat(load<f64>(grid, 48))
  const scales = f64x2.splat(scale)
  let unordered = i32x4.splat(0)
  for (; count >= 4; count -= 4, input += 16, output += 16) {
    const x = v128.load(input)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    v128.store(output, roundFour(x, scales, scales, leastPower, lift, high, low, limit, special, zero, away))
  }
  if (count > 0) {
    const x = loadPart(input, count)
    unordered = v128.or(unordered, f32x4.ne(x, x))
    storePart(output, roundFour(x, scales, scales, leastPower, lift, high, low, limit, special, zero, away), count)
  }
  return i32(v128.any_true(unordered))
}

function roundRun(input: usize, output: usize, count: i32, scale: f64, grid: usize): i32 {
  const field = reinterpret<i64>(scale)
  const exponent = <i32>(field >> 52) - 1023
  const away = (load<i32>(grid, 64) & AWAY) != 0
  const leastField = load<i32>(grid, 72) + exponent, mantissaBits = load<i32>(grid, 76)
  const wholeRange = (field & 0xfffffffffffff) == 0 && !away && leastField >= -126 && leastField - mantissaBits >= -149 &&
    leastField + 23 - mantissaBits <= 127 && max(load<f64>(grid, 16), load<f64>(grid, 24)) * scale <= <f64>f32.MAX_VALUE
  if (wholeRange) return patterns(input, output, count, scale, exponent, grid)
  // The scaled grid, its halves and the constant C at the limit must be normal float32 numbers.
  if (
    (field & 0xfffffffffffff) == 0 && leastField - mantissaBits >= -124 && leastField <= 126 &&
    load<i32>(grid, 68) + exponent + 23 - mantissaBits <= 126
  ) {
    return away
      ? singles(input, output, count, scale, exponent, grid, true)
      : singles(input, output, count, scale, exponent, grid, false)
  }
  return away ? doubles(input, output, count, scale, grid, true) : doubles(input, output, count, scale, grid, false)
}

// @ts-ignore: decorator
@inline
function lanewise(input: usize, output: usize, rows: i32, lanes: i32, scales: usize, grid: usize, away: bool): i32 {
  const leastPower = f64x2.splat(load<f64>(grid, 8)), lift = f64x2.splat(load<f64>(grid, 0))
  const high = f64x2.splat(load<f64>(grid, 16)), low = f64x2.splat(load<f64>(grid, 24))
  const limit = f64x2.splat(load<f64>(grid, 32)), special = f64x2.splat(load<f64>(grid, 40))
  const zero = f64x2.splat(load<f64>(grid, 48))
  let unordered = i32x4.splat(0)
  for (let row = 0; row < rows; row++) {
    let s = scales
    for (let lane = 0; lane < lanes; lane += 4, s += 32, input += 16, output += 16) {
      const x = v128.load(input)
      unordered = v128.or(unordered, f32x4.ne(x, x))
      v128.store(
        output,
        roundFour(x, v128.load(s), v128.load(s, 16), leastPower, lift, high, low, limit, special, zero, away),
      )
    }
  }
  return i32(v128.any_true(unordered))
}

/** Rounds `count` floats to scale × grid; input and output may be the same memory. Gives 1 where there was a NaN, else 0. */
export function roundGrid(input: usize, output: usize, count: i32, scale: f64, grid: usize): i32 {
  return replaceNaN(roundRun(input, output, count, scale, grid), output, 4, count, grid)
}

/** The same for rows of `lanes` floats, a multiple of 4, with one double of `scales` per lane. */
export function roundGridLanes(input: usize, output: usize, rows: i32, lanes: i32, scales: usize, grid: usize): i32 {
  const unordered = load<i32>(grid, 64) & AWAY
    ? lanewise(input, output, rows, lanes, scales, grid, true)
    : lanewise(input, output, rows, lanes, scales, grid, false)
  return replaceNaN(unordered, output, 4, rows * lanes, grid)
}

// @ts-ignore: decorator
@inline
function quantize(input: usize, width: i32, output: usize, count: i32, scale: f64, grid: usize, away: bool): i32 {
  const leastPower = f64x2.splat(load<f64>(grid, 8)), lift = f64x2.splat(load<f64>(grid, 0))
  const high = f64x2.splat(load<f64>(grid, 16)), low = f64x2.splat(load<f64>(grid, 24))
  const limit = f64x2.splat(load<f64>(grid, 32)), special = f64x2.splat(load<f64>(grid, 40))
  const zero = f64x2.splat(load<f64>(grid, 48))
  const scales = f64x2.splat(scale)
  let unordered = i32x4.splat(0)
  for (; count > 0; count -= 2, input += <usize>width << 1, output += 16) {
    const x = width == 8 ? v128.load(input) : f64x2.promote_low_f32x4(v128.load64_zero(input))
    unordered = v128.or(unordered, f64x2.ne(x, x))
    v128.store(output, roundPair(x, scales, leastPower, lift, high, low, limit, special, zero, away))
  }
  return i32(v128.any_true(unordered))
}

/**
 * Rounds `count` floats (`width` 4) or doubles (8) to doubles, one more than that for an odd count. Gives 1 where there was a
 * NaN, else 0.
 */
export function quantizeGrid(input: usize, width: i32, output: usize, count: i32, scale: f64, grid: usize): i32 {
  const unordered = load<i32>(grid, 64) & AWAY
    ? quantize(input, width, output, count, scale, grid, true)
    : quantize(input, width, output, count, scale, grid, false)
  return replaceNaN(unordered, output, 8, count, grid)
}
