// Rule R9: a function of 16-bit codes by straight pieces. The two knots of a piece lie side by side, so one 32-bit load
// fetches both, and a dot product with (2^bits - f, f) interpolates four codes.
import { interleaveHigh, interleaveLow, storeNarrowed } from './elementwise'

@inline
function interpolated(pairs: v128, shares: v128, half: v128, bits: i32): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs, shares), half), bits)
}

/** `wide` is 1 for a target of 16 bits, 0 for one of 8; `limits` holds the least and the largest code as i16x8. */
export function curve(
  source: usize, target: usize, targetWide: i32, length: i32, knots: usize, bits: i32, limits: usize,
): void {
  const low = v128.load(limits), high = v128.load(limits, 16)
  const size: i32 = 1 << bits
  const mask = i16x8.splat(<i16>(size - 1)), one = i16x8.splat(<i16>size), half = i32x4.splat(size >> 1)
  for (const end = source + length * 2; source < end; source += 16, target += 8 << targetWide) {
    const u = v128.xor(v128.load(source), i16x8.splat(-32768))
    const share = v128.and(u, mask), rest = i16x8.sub(one, share)
    // Byte offsets of the knots.
    const at = i16x8.shl(i16x8.shr_u(u, bits), 1)
    let first = v128.load32_zero(knots + i16x8.extract_lane_u(at, 0))
    first = v128.load32_lane(knots + i16x8.extract_lane_u(at, 1), first, 1)
    first = v128.load32_lane(knots + i16x8.extract_lane_u(at, 2), first, 2)
    first = v128.load32_lane(knots + i16x8.extract_lane_u(at, 3), first, 3)
    let second = v128.load32_zero(knots + i16x8.extract_lane_u(at, 4))
    second = v128.load32_lane(knots + i16x8.extract_lane_u(at, 5), second, 1)
    second = v128.load32_lane(knots + i16x8.extract_lane_u(at, 6), second, 2)
    second = v128.load32_lane(knots + i16x8.extract_lane_u(at, 7), second, 3)
    const codes = i16x8.narrow_i32x4_s(
      interpolated(first, interleaveLow(rest, share), half, bits),
      interpolated(second, interleaveHigh(rest, share), half, bits),
    )
    storeNarrowed(target, i16x8.min_s(i16x8.max_s(codes, low), high), targetWide)
  }
}
