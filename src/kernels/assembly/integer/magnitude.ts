// Rule R20: the length of a vector of two, over 8- and 16-bit operands. Lengths are multiples of 8.
import { interleaveHigh, interleaveLow, loadCodes, storeMixed } from './elementwise'
import { requantize } from './requantize'

/** floor(sqrt(value)) on four lanes without sign, by digits: two bits of the argument give one of the root. */
@inline
function rootOf(value: v128): v128 {
  let root = i32x4.splat(0), remainder = i32x4.splat(0)
  const three = i32x4.splat(3), one = i32x4.splat(1)
  for (let place = 30; place >= 0; place -= 2) {
    remainder = v128.or(i32x4.shl(remainder, 2), v128.and(i32x4.shr_u(value, place), three))
    const trial = v128.or(i32x4.shl(root, 2), one)
    const digit = i32x4.ge_s(remainder, trial)
    remainder = i32x4.sub(remainder, v128.and(trial, digit))
    root = i32x4.sub(i32x4.shl(root, 1), digit)
  }
  return root
}

/** Differences fit 16 bits; two squares add up to at most 2^31. The epilogue block has 32-bit lanes. */
export function magnitude(
  left: usize, right: usize, target: usize, leftWide: i32, rightWide: i32, targetWide: i32, length: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, shift: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  const factor = i32x4.splat(multiplier), rounding = v128.load(epilogue)
  const leftZero = i16x8.splat(<i16>leftZeroPoint), rightZero = i16x8.splat(<i16>rightZeroPoint)
  for (const end = target + (length << targetWide); target < end; ) {
    const x = i16x8.sub(loadCodes(left, leftWide), leftZero), y = i16x8.sub(loadCodes(right, rightWide), rightZero)
    const low = interleaveLow(x, y), high = interleaveHigh(x, y)
    storeMixed(
      target,
      requantize(i32x4.shl(rootOf(i32x4.dot_i16x8_s(low, low)), shift), factor, rounding, highShift),
      requantize(i32x4.shl(rootOf(i32x4.dot_i16x8_s(high, high)), shift), factor, rounding, highShift),
      epilogue, targetWide,
    )
    left += 8 << leftWide
    right += 8 << rightWide
    target += 8 << targetWide
  }
}
