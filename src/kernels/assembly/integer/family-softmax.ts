// Rule R17: softmax over the channels of each pixel as I-ViT (shifts) and I-BERT (a parabola) compute it. The exponentials of
// a pixel are written to a row of int32 in scratch memory, with their sum, and scaled from there. Of 8-bit codes they are
// looked up: a difference is at most 255. Spare lanes do not count in the sum.
import { loadCodes, storeMixed } from './elementwise'
import { largestOf } from './softmax'

/** Lanes of i32x4 that are real channels: the first `count`. */
@inline
function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
}

/** The four entries of a table of int32 at byte offsets in 16-bit lanes `upper`·4 … `upper`·4 + 3. */
@inline
function gather(table: usize, offsets: v128, upper: bool): v128 {
  let entries = v128.load32_zero(table + (upper ? i16x8.extract_lane_u(offsets, 4) : i16x8.extract_lane_u(offsets, 0)))
  entries = v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 5) : i16x8.extract_lane_u(offsets, 1)), entries, 1)
  entries = v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 6) : i16x8.extract_lane_u(offsets, 2)), entries, 2)
  return v128.load32_lane(table + (upper ? i16x8.extract_lane_u(offsets, 7) : i16x8.extract_lane_u(offsets, 3)), entries, 3)
}

@inline
function addUnsigned(sums: v128, values: v128): v128 {
  return i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(values), i64x2.extend_high_i32x4_u(values)))
}

/** One exponential more or fewer than 2^16 of 31 bits: the sum has 47. */
@inline
function total(sums: v128): u64 {
  return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1)
}

/** Looks 8-bit differences up in `table`, 256 entries of int32. */
@inline
function tabulate(source: usize, channels: i32, largest: i32, table: usize, row: usize): u64 {
  const maximum = i16x8.splat(<i16>largest)
  let sums = i64x2.splat(0)
  for (; channels > 0; channels -= 8, source += 8, row += 32) {
    const offsets = i16x8.shl(v128.and(i16x8.sub(maximum, loadCodes(source, 0)), i16x8.splat(255)), 2)
    const e0 = gather(table, offsets, false), e1 = gather(table, offsets, true)
    v128.store(row, e0)
    v128.store(row, e1, 16)
    sums = addUnsigned(addUnsigned(sums, v128.and(e0, firstLanes(channels))), v128.and(e1, firstLanes(channels - 4)))
  }
  return total(sums)
}

/** One binary digit of power ÷ unit: takes `multiple` units off the remainder where that is possible. */
@inline
function digit(rest: v128, multiple: v128): v128 {
  return i32x4.ge_s(rest, multiple)
}

/**
 * ShiftExp of four distances below 2^16: the power of two digit by digit (at most 16), then the fraction shifted right by
 * each digit in turn. `even` is −2 where half of the fraction loses its half unit, else −1.
 */
@inline
function shiftExponentials(distance: v128, unit: i32, places: i32, even: i32): v128 {
  const raised = i32x4.sub(
    i32x4.add(distance, i32x4.shr_u(i32x4.add(distance, i32x4.splat(1)), 1)),
    i32x4.shr_u(i32x4.add(distance, i32x4.splat(15)), 4),
  )
  let rest = i32x4.min_s(raised, i32x4.splat(places * unit))
  const digit4 = digit(rest, i32x4.splat(unit << 4))
  rest = i32x4.sub(rest, v128.and(digit4, i32x4.splat(unit << 4)))
  const digit3 = digit(rest, i32x4.splat(unit << 3))
  rest = i32x4.sub(rest, v128.and(digit3, i32x4.splat(unit << 3)))
  const digit2 = digit(rest, i32x4.splat(unit << 2))
  rest = i32x4.sub(rest, v128.and(digit2, i32x4.splat(unit << 2)))
  const digit1 = digit(rest, i32x4.splat(unit << 1))
  rest = i32x4.sub(rest, v128.and(digit1, i32x4.splat(unit << 1)))
  const digit0 = digit(rest, i32x4.splat(unit))
  rest = i32x4.sub(rest, v128.and(digit0, i32x4.splat(unit)))
  let e = i32x4.shl(v128.and(i32x4.sub(i32x4.splat(2 * unit), rest), i32x4.splat(even)), places)
  e = i32x4.shr_u(e, 1)
  e = v128.bitselect(i32x4.shr_u(e, 16), e, digit4)
  e = v128.bitselect(i32x4.shr_u(e, 8), e, digit3)
  e = v128.bitselect(i32x4.shr_u(e, 4), e, digit2)
  e = v128.bitselect(i32x4.shr_u(e, 2), e, digit1)
  return v128.bitselect(i32x4.shr_u(e, 1), e, digit0)
}

/** i-exp, requantised half to even. A product of 63 bits shifted by 63 and more is below one half. */
@inline
function polynomialExponential(
  distance: i32, unit: i32, linear: i32, constant: u32, multiplier: u32, shift: i32,
): i32 {
  const limited = min(distance, 30 * unit)
  const whole = limited / unit
  const rest = whole * unit - limited
  const parabola = <i64>(rest + linear) * <i64>rest + <i64>constant
  const places = shift - 30 + whole
  if (parabola <= 0 || places > 63) return 0
  const product = <u64>parabola * <u64>multiplier
  const floor = product >> places, part = product & (((<u64>1) << places) - 1), half = (<u64>1) << (places - 1)
  return <i32>floor + i32(part > half || (part == half && (floor & 1) != 0))
}

/** Exponentials times factor, shifted: products fit 32 bits without sign. */
@inline
function scaleRow(row: usize, target: usize, wide: i32, channels: i32, factor: u32, shift: i32, epilogue: usize): void {
  const share = i32x4.splat(<i32>factor)
  for (; channels > 0; channels -= 8, row += 32, target += 8 << wide)
    storeMixed(
      target,
      i32x4.shr_u(i32x4.mul(v128.load(row), share), shift),
      i32x4.shr_u(i32x4.mul(v128.load(row, 16), share), shift),
      epilogue, wide,
    )
}

@inline
function shiftFactor(sum: u64): u32 {
  return 0x7fffffff / <u32>min<u64>(sum, 0x7fffffff)
}

@inline
function polynomialFactor(sum: u64): u32 {
  return <u32>(0x100000000 / sum)
}

/** 8-bit codes, either family. The epilogue block has 32-bit lanes. */
export function softmaxByTable(
  source: usize, target: usize, targetWide: i32, pixels: i32, channels: i32, table: usize, polynomial: i32, shift: i32,
  row: usize, epilogue: usize,
): void {
  const step = (channels + 7) & -8
  for (let p = 0; p < pixels; p++, source += step, target += step << targetWide) {
    const sum = tabulate(source, channels, largestOf(source, 0, channels), table, row)
    scaleRow(row, target, targetWide, channels, polynomial ? polynomialFactor(sum) : shiftFactor(sum), shift, epilogue)
  }
}

/** 16-bit codes by shifts. */
export function softmaxByShifts(
  source: usize, target: usize, targetWide: i32, pixels: i32, channels: i32, unit: i32, places: i32, even: i32, shift: i32,
  row: usize, epilogue: usize,
): void {
  const step = (channels + 7) & -8
  for (let p = 0; p < pixels; p++, source += step << 1, target += step << targetWide) {
    const maximum = i16x8.splat(<i16>largestOf(source, 1, channels))
    let sums = i64x2.splat(0)
    for (let c = 0; c < channels; c += 8) {
      const difference = i16x8.sub(maximum, v128.load(source + (c << 1)))
      const e0 = shiftExponentials(i32x4.extend_low_i16x8_u(difference), unit, places, even)
      const e1 = shiftExponentials(i32x4.extend_high_i16x8_u(difference), unit, places, even)
      v128.store(row + (c << 2), e0)
      v128.store(row + (c << 2), e1, 16)
      sums = addUnsigned(
        addUnsigned(sums, v128.and(e0, firstLanes(channels - c))), v128.and(e1, firstLanes(channels - c - 4)))
    }
    scaleRow(row, target, targetWide, channels, shiftFactor(total(sums)), shift, epilogue)
  }
}

/** 16-bit codes by a parabola. `constant` and `multiplier` have 32 bits without sign. */
export function softmaxByParabola(
  source: usize, target: usize, targetWide: i32, pixels: i32, channels: i32, unit: i32, linear: i32, constant: i32,
  multiplier: i32, exponentShift: i32, shift: i32, row: usize, epilogue: usize,
): void {
  const step = (channels + 7) & -8
  for (let p = 0; p < pixels; p++, source += step << 1, target += step << targetWide) {
    const largest = largestOf(source, 1, channels)
    let sum: u64 = 0
    for (let c = 0; c < channels; c++) {
      const e = polynomialExponential(
        largest - load<i16>(source + (c << 1)), unit, linear, <u32>constant, <u32>multiplier, exponentShift)
      store<i32>(row + (c << 2), e)
      sum += e
    }
    scaleRow(row, target, targetWide, channels, polynomialFactor(sum), shift, epilogue)
  }
}
