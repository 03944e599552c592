// Rule R18: ShiftGELU over the channels of each pixel. One division per value: long rows of 8-bit codes, which have at most
// 256 different values, are therefore looked up in a table of the pixel's own.
import { largestOf } from './softmax'

/** value * 1.4375 as value + (value >> 1) - (value >> 4). */
@inline
function raised(value: i32): i32 {
  return value + (value >> 1) - (value >> 4)
}

/** ShiftExp of -distance, 23 places: below 2^31. `even` is -2 where half of the fraction loses its half unit, else -1. */
@inline
function exponentialBelow(distance: i32, unit: i32, even: i32): u32 {
  const power = min(-raised(-distance), 23 * unit)
  const whole = power / unit
  const twice = (2 * unit - (power - whole * unit)) & even
  return (<u32>twice << 23) >> (whole + 1)
}

/** ShiftExp of a positive value, limited to 2^31 - 1. A fraction times 2^40 has at most 49 bits and at least 41. */
function exponentialAbove(value: i32, unit: i32, even: i32): u32 {
  const power = raised(value), floor = power / unit, rest = power - floor * unit
  const up = even == -1 && rest > 0
  const twice = 2 * unit + (up ? rest - unit : rest & even)
  return <u32>min<u64>(<u64>twice << min(40, 22 + floor + i32(up)), 0x7fffffff)
}

/** The code of one value. `distance` is from the largest of its row. */
@inline
function codeOf(
  value: i32, distance: i32, zero: u32, unit: i32, even: i32, shift: i32, multiplier: i32, lastShift: i32,
  zeroPoint: i32, low: i32, high: i32,
): i32 {
  const e = exponentialBelow(distance, unit, even)
  const sigmoid = <i32>((e * (0x7fffffff / min<u32>(e + zero, 0x7fffffff))) >> shift)
  const result = (<i64>(value * sigmoid) * <i64>multiplier + ((<i64>1) << (lastShift - 1))) >> lastShift
  return max(low, min(high, <i32>result + zeroPoint))
}

@inline
function loadCode(source: usize, wide: i32): i32 {
  return wide ? <i32>load<i16>(source) : <i32>load<i8>(source)
}

@inline
function storeCode(target: usize, wide: i32, code: i32): void {
  if (wide) store<i16>(target, code)
  else store<i8>(target, code)
}

/** `table` has room for 256 words of 16 bits; it is used where the source has 8 bits. */
export function shiftGelu(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, pixels: i32, channels: i32, inputZeroPoint: i32,
  unit: i32, even: i32, shift: i32, multiplier: i32, lastShift: i32, zeroPoint: i32, low: i32, high: i32, table: usize,
): void {
  const step = (channels + 7) & -8
  for (let p = 0; p < pixels; p++, source += step << sourceWide, target += step << targetWide) {
    const largest = largestOf(source, sourceWide, channels), top = largest - inputZeroPoint
    const zero = top < 0 ? exponentialAbove(-top, unit, even) : exponentialBelow(top, unit, even)
    if (!sourceWide && channels > 256) {
      for (let code = -128; code <= largest; code++)
        store<i16>(
          table + ((code + 128) << 1),
          codeOf(
            code - inputZeroPoint, largest - code, zero, unit, even, shift, multiplier, lastShift, zeroPoint, low, high),
        )
      for (let c = 0; c < channels; c++)
        storeCode(target + (c << targetWide), targetWide, load<i16>(table + ((load<i8>(source + c) + 128) << 1)))
    } else
      for (let c = 0; c < channels; c++) {
        const code = loadCode(source + (c << sourceWide), sourceWide)
        storeCode(
          target + (c << targetWide), targetWide,
          codeOf(
            code - inputZeroPoint, largest - code, zero, unit, even, shift, multiplier, lastShift, zeroPoint, low, high),
        )
      }
  }
}
