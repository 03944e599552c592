// Rule R9: a function of 16-bit codes by straight pieces. The two knots of a piece lie side by side, so one 32-bit load
// fetches both, and a dot product with (128 - share, share) interpolates four codes: shares count in 128ths whatever the
// length of the pieces, which changes neither the quotient nor its rounding. Knots in units of two codes have both doubled.
//
// The eight codes are read again one by one for the addresses of their knots: loads are cheaper than taking lanes apart. One
// export for each length of pieces, 2^bits codes: constant shifts cost a quarter of variable ones.
import { interleaveHigh, interleaveLow, storeNarrowed } from './elementwise'

@inline
function interpolated(pairs: v128, shares: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs, shares), i32x4.splat(64)), 7)
}

/** Address of the knot at or before a code; `middle` is that of code 0. */
@inline
function knotOf(code: i32, middle: usize, bits: i32): usize {
  return middle + ((code >> bits) << 1)
}

/** The pairs of knots of four codes. */
@inline
function pairsOf(code0: i32, code1: i32, code2: i32, code3: i32, middle: usize, bits: i32): v128 {
  let pairs = v128.load32_zero(knotOf(code0, middle, bits))
  pairs = v128.load32_lane(knotOf(code1, middle, bits), pairs, 1)
  pairs = v128.load32_lane(knotOf(code2, middle, bits), pairs, 2)
  return v128.load32_lane(knotOf(code3, middle, bits), pairs, 3)
}

@inline
function pieces<Code>(
  source: usize, target: usize, length: i32, middle: usize, limits: usize, bits: i32, whole: i32, unshift: i32,
): void {
  const low = v128.load(limits), high = v128.load(limits, 16)
  for (const end = source + length * 2; source < end; source += 16, target += 8 * sizeof<Code>()) {
    const share = i16x8.shr_u(i16x8.shl(v128.load(source), 16 - bits), unshift)
    const rest = i16x8.sub(i16x8.splat(<i16>whole), share)
    const first = pairsOf(
      load<i16>(source), load<i16>(source, 2), load<i16>(source, 4), load<i16>(source, 6), middle, bits)
    const second = pairsOf(
      load<i16>(source, 8), load<i16>(source, 10), load<i16>(source, 12), load<i16>(source, 14), middle, bits)
    const codes = i16x8.narrow_i32x4_s(
      interpolated(first, interleaveLow(rest, share)),
      interpolated(second, interleaveHigh(rest, share)),
    )
    storeNarrowed(target, i16x8.min_s(i16x8.max_s(codes, low), high), sizeof<Code>() == 2 ? 1 : 0)
  }
}

/** `limits` holds the least and the largest code as i16x8; knots count in units of 2^unitBits codes. */
@inline
function curve<Code>(
  source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize, bits: i32,
): void {
  const middle = knots + ((32768 >> bits) << 1)
  if (unitBits == 0) pieces<Code>(source, target, length, middle, limits, bits, 128, 9)
  else pieces<Code>(source, target, length, middle, limits, bits, 256, 8)
}

export function curve1(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 1)
}
export function curve1To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 1)
}
export function curve2(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 2)
}
export function curve2To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 2)
}
export function curve3(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 3)
}
export function curve3To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 3)
}
export function curve4(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 4)
}
export function curve4To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 4)
}
export function curve5(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 5)
}
export function curve5To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 5)
}
export function curve6(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 6)
}
export function curve6To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 6)
}
export function curve7(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i16>(source, target, length, knots, unitBits, limits, 7)
}
export function curve7To8(source: usize, target: usize, length: i32, knots: usize, unitBits: i32, limits: usize): void {
  curve<i8>(source, target, length, knots, unitBits, limits, 7)
}
