// Element by element over stored tensors, eight codes at a time; lengths are multiples of 8. Kernels named "…Mixed" take
// operands of 8 or 16 bits (`wide` 0 or 1) and compute in 32-bit lanes; their epilogue block has 32-bit lanes, too. A
// tensor of one pixel on the right is met by every row of `length` codes.
import { requantize, storeCodes } from './requantize'

/** Eight codes as i16x8. */
@inline
export function loadCodes(source: usize, wide: i32): v128 {
  return wide ? v128.load(source) : v128.load_ext<i8>(source)
}

/** The first four lanes of two i16x8, in pairs. */
@inline
export function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
}

/** The last four lanes of two i16x8, in pairs. */
@inline
export function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
}

/** Eight values -> zero point, clamp, store, with an epilogue block of 32-bit lanes. */
@inline
export function storeMixed(target: usize, first: v128, second: v128, epilogue: usize, wide: i32): void {
  const zero = v128.load(epilogue, 16), low = v128.load(epilogue, 32), high = v128.load(epilogue, 48)
  storeNarrowed(
    target,
    i16x8.narrow_i32x4_s(
      i32x4.min_s(i32x4.max_s(i32x4.add(first, zero), low), high),
      i32x4.min_s(i32x4.max_s(i32x4.add(second, zero), low), high),
    ),
    wide,
  )
}

/** Eight codes as i16x8 to 16 or 8 bits. */
@inline
export function storeNarrowed(target: usize, codes: v128, wide: i32): void {
  if (wide) v128.store(target, codes)
  else v128.store64_lane(target, i8x16.narrow_i16x8_s(codes, codes), 0)
}

/** Two multipliers' low halves as pairs of i16 for a dot product with pairs of codes. */
@inline
function lowHalves(left: i32, right: i32): v128 {
  return i32x4.splat((left & 0xffff) | (right << 16))
}

/** What is left of the multipliers in units of 2^16, modulo 2^16: the low halves count as signed. */
@inline
function highHalves(left: i32, right: i32): v128 {
  return lowHalves((left + 0x8000) >>> 16, (right + 0x8000) >>> 16)
}

/** low . pairs + (high . pairs << 16) + constant, modulo 2^32, before the shift. */
@inline
function weighted(pairs: v128, low: v128, high: v128, constant: v128): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(pairs, low), constant),
    i32x4.shl(i32x4.dot_i16x8_s(pairs, high), 16),
  )
}

/**
 * Rule R5. The proof keeps a*ma + b*mb - za*ma - zb*mb + 2^(shift-1) within int32, so that it may be summed modulo 2^32 in any
 * order: zero points and rounding term are one constant, and multipliers go in halves of 16 bits through dot products.
 */
export function add(
  left: usize, right: usize, target: usize, rows: i32, length: i32,
  leftMultiplier: i32, rightMultiplier: i32, leftZeroPoint: i32, rightZeroPoint: i32, shift: i32, epilogue: usize,
): void {
  const low = lowHalves(leftMultiplier, rightMultiplier), high = highHalves(leftMultiplier, rightMultiplier)
  const constant = i32x4.splat(
    (1 << (shift - 1)) - leftZeroPoint * leftMultiplier - rightZeroPoint * rightMultiplier)
  for (let r = 0; r < rows; r++) {
    let b = right
    for (const end = target + length; target < end; target += 8, left += 8, b += 8) {
      const x = v128.load_ext<i8>(left), y = v128.load_ext<i8>(b)
      storeCodes(
        target,
        i32x4.shr_s(weighted(interleaveLow(x, y), low, high, constant), shift),
        i32x4.shr_s(weighted(interleaveHigh(x, y), low, high, constant), shift),
        epilogue,
      )
    }
  }
}

/** Rule R5 over 8- and 16-bit operands. */
export function addMixed(
  left: usize, right: usize, target: usize, leftWide: i32, rightWide: i32, targetWide: i32, rows: i32, length: i32,
  leftMultiplier: i32, rightMultiplier: i32, leftZeroPoint: i32, rightZeroPoint: i32, shift: i32, epilogue: usize,
): void {
  const low = lowHalves(leftMultiplier, rightMultiplier), high = highHalves(leftMultiplier, rightMultiplier)
  const constant = i32x4.splat(
    (1 << (shift - 1)) - leftZeroPoint * leftMultiplier - rightZeroPoint * rightMultiplier)
  for (let r = 0; r < rows; r++) {
    let b = right
    for (const end = target + (length << targetWide); target < end; ) {
      const x = loadCodes(left, leftWide), y = loadCodes(b, rightWide)
      storeMixed(
        target,
        i32x4.shr_s(weighted(interleaveLow(x, y), low, high, constant), shift),
        i32x4.shr_s(weighted(interleaveHigh(x, y), low, high, constant), shift),
        epilogue, targetWide,
      )
      left += 8 << leftWide
      b += 8 << rightWide
      target += 8 << targetWide
    }
  }
}

/** Rule R11: the product of two differences of codes fits int32; then R3. */
export function multiply(
  left: usize, right: usize, target: usize, rows: i32, length: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  const factor = i32x4.splat(multiplier), rounding = v128.load(epilogue)
  const leftZero = i16x8.splat(<i16>leftZeroPoint), rightZero = i16x8.splat(<i16>rightZeroPoint)
  for (let r = 0; r < rows; r++) {
    let b = right
    for (const end = target + length; target < end; target += 8, left += 8, b += 8) {
      const x = i16x8.sub(v128.load_ext<i8>(left), leftZero)
      const y = i16x8.sub(v128.load_ext<i8>(b), rightZero)
      storeCodes(
        target,
        requantize(i32x4.extmul_low_i16x8_s(x, y), factor, rounding, highShift),
        requantize(i32x4.extmul_high_i16x8_s(x, y), factor, rounding, highShift),
        epilogue,
      )
    }
  }
}

/** Rule R11 over 8- and 16-bit operands. */
export function multiplyMixed(
  left: usize, right: usize, target: usize, leftWide: i32, rightWide: i32, targetWide: i32, rows: i32, length: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  const factor = i32x4.splat(multiplier), rounding = v128.load(epilogue)
  const leftZero = i32x4.splat(leftZeroPoint), rightZero = i32x4.splat(rightZeroPoint)
  for (let r = 0; r < rows; r++) {
    let b = right
    for (const end = target + (length << targetWide); target < end; ) {
      const x = loadCodes(left, leftWide), y = loadCodes(b, rightWide)
      const x0 = i32x4.sub(i32x4.extend_low_i16x8_s(x), leftZero), x1 = i32x4.sub(i32x4.extend_high_i16x8_s(x), leftZero)
      const y0 = i32x4.sub(i32x4.extend_low_i16x8_s(y), rightZero), y1 = i32x4.sub(i32x4.extend_high_i16x8_s(y), rightZero)
      storeMixed(
        target,
        requantize(i32x4.mul(x0, y0), factor, rounding, highShift),
        requantize(i32x4.mul(x1, y1), factor, rounding, highShift),
        epilogue, targetWide,
      )
      left += 8 << leftWide
      b += 8 << rightWide
      target += 8 << targetWide
    }
  }
}

/** (difference * multiplier of its sign + rounding) >> shift on four lanes. */
@inline
function rescaled(difference: v128, positive: usize, negative: usize, rounding: v128, shift: i32): v128 {
  const factor = v128.bitselect(v128.load(negative), v128.load(positive), i32x4.shr_s(difference, 31))
  return i32x4.shr_s(i32x4.add(i32x4.mul(difference, factor), rounding), shift)
}

/**
 * Rule R10 over 8- and 16-bit codes. `factors` holds eight multipliers of values at or above the zero point, then eight of
 * those below it, for each block of eight channels; they are `factorStep` bytes apart: 64, or 0 where all channels agree.
 */
export function rescale(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, rows: i32, length: i32,
  zeroPoint: i32, factors: usize, factorStep: i32, shift: i32, epilogue: usize,
): void {
  const zero = i32x4.splat(zeroPoint), rounding = i32x4.splat(1 << (shift - 1))
  for (let r = 0; r < rows; r++) {
    let factor = factors
    for (const end = target + (length << targetWide); target < end; factor += factorStep) {
      const x = loadCodes(source, sourceWide)
      storeMixed(
        target,
        rescaled(i32x4.sub(i32x4.extend_low_i16x8_s(x), zero), factor, factor + 32, rounding, shift),
        rescaled(i32x4.sub(i32x4.extend_high_i16x8_s(x), zero), factor + 16, factor + 48, rounding, shift),
        epilogue, targetWide,
      )
      source += 8 << sourceWide
      target += 8 << targetWide
    }
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

/** Rule R7 with a table of 16-bit codes. */
export function lookUpWide(source: usize, target: usize, table: usize, length: i32): void {
  for (const end = source + length; source < end; source += 4, target += 8) {
    store<u16>(target, load<u16>(table + (<usize>load<u8>(source) << 1)))
    store<u16>(target, load<u16>(table + (<usize>load<u8>(source, 1) << 1)), 2)
    store<u16>(target, load<u16>(table + (<usize>load<u8>(source, 2) << 1)), 4)
    store<u16>(target, load<u16>(table + (<usize>load<u8>(source, 3) << 1)), 6)
  }
}
