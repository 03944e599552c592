// Element by element over stored s8 tensors; lengths are multiples of 8.
import { storeCodes } from './requantize'

/** Rule R5: everything in int32; the proof keeps the sum with its rounding term inside. */
export function add(
  a: usize, b: usize, target: usize, length: i32,
  multiplierA: i32, multiplierB: i32, zeroPointA: i32, zeroPointB: i32, shift: i32, epilogue: usize,
): void {
  const factorA = i32x4.splat(multiplierA), factorB = i32x4.splat(multiplierB)
  const zeroA = i16x8.splat(<i16>zeroPointA), zeroB = i16x8.splat(<i16>zeroPointB)
  const rounding = i32x4.splat(1 << (shift - 1))
  for (const end = target + length; target < end; target += 8, a += 8, b += 8) {
    const x = i16x8.sub(v128.load_ext<i8>(a), zeroA)
    const y = i16x8.sub(v128.load_ext<i8>(b), zeroB)
    const sum0 = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_s(x), factorA), i32x4.mul(i32x4.extend_low_i16x8_s(y), factorB))
    const sum1 = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_s(x), factorA), i32x4.mul(i32x4.extend_high_i16x8_s(y), factorB))
    storeCodes(
      target,
      i32x4.shr_s(i32x4.add(sum0, rounding), shift),
      i32x4.shr_s(i32x4.add(sum1, rounding), shift),
      epilogue,
    )
  }
}

/** Rule R7: the table is indexed by the code's byte as an unsigned number. */
export function lookUp(source: usize, target: usize, table: usize, length: i32): void {
  for (const end = source + length; source < end; source += 4, target += 4) {
    store<u8>(target, load<u8>(table + load<u8>(source)))
    store<u8>(target, load<u8>(table + load<u8>(source, 1)), 1)
    store<u8>(target, load<u8>(table + load<u8>(source, 2)), 2)
    store<u8>(target, load<u8>(table + load<u8>(source, 3)), 3)
  }
}
