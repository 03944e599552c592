// Rule R15: products of two computed matrices. The right operand is packed into panels as weights are, [pair][8 columns][2] of
// i16 with the zero point subtracted; the left one is widened to rows of pairs where it cannot be read as it is stored; then
// the convolution kernel runs, its pixels are the rows. Steps are in bytes; `wide` is 1 for 16-bit codes and 0 for 8-bit
// ones. Nothing is read behind the last element of an operand, except by a left operand that is read as stored: behind an
// odd row it meets a zero.
import { convolve, convolve16 } from './convolution'
import { interleaveHigh, interleaveLow, loadCodes } from './elementwise'

@inline
function loadCode(source: usize, wide: i32): i32 {
  return wide ? load<i16>(source) : load<i8>(source)
}

/** Rows of the left operand to i16 [rows][pairs][2]. What stands behind an odd row meets a zero in the panels. */
function packRows(
  source: usize, target: usize, wide: i32, rows: i32, inner: i32, rowStep: i32, innerStep: i32, zeroPoint: i32,
): void {
  const targetStep = ((inner + 1) >> 1) << 2
  const zero = i16x8.splat(<i16>zeroPoint)
  const vectors = innerStep == 1 << wide && inner >= 8
  for (let m = 0; m < rows; m++, source += rowStep, target += targetStep) {
    if (vectors) {
      // The last vector is moved back, so that it ends with the row.
      const last = inner - 8
      for (let k = 0; k < last; k += 8)
        v128.store(target + (k << 1), i16x8.sub(loadCodes(source + (k << wide), wide), zero))
      v128.store(target + (last << 1), i16x8.sub(loadCodes(source + (last << wide), wide), zero))
    } else {
      let from = source
      for (let k = 0; k < inner; k++, from += innerStep)
        store<i16>(target + (k << 1), <i16>(loadCode(from, wide) - zeroPoint))
    }
  }
}

/** `count` columns of a panel from inner index `first` on, element by element; the pair of an odd last element is 0. */
function packScattered(
  source: usize, target: usize, wide: i32, first: i32, inner: i32, count: i32,
  innerStep: i32, columnStep: i32, zeroPoint: i32,
): void {
  for (let k = first; k < inner; k += 2) {
    let from = source + k * innerStep
    const to = target + (k << 4)
    for (let n = 0; n < count; n++, from += columnStep) {
      store<i16>(to + (n << 2), <i16>(loadCode(from, wide) - zeroPoint))
      store<i16>(to + (n << 2), k + 1 < inner ? <i16>(loadCode(from + innerStep, wide) - zeroPoint) : 0, 2)
    }
  }
}

/** A panel whose eight columns lie side by side. */
@inline
function packSideBySide(source: usize, target: usize, wide: i32, inner: i32, innerStep: i32, zero: v128): void {
  for (let k = 0; k < inner; k += 2, target += 32) {
    const x = i16x8.sub(loadCodes(source, wide), zero)
    source += innerStep
    const y = k + 1 < inner ? i16x8.sub(loadCodes(source, wide), zero) : i16x8.splat(0)
    source += innerStep
    v128.store(target, interleaveLow(x, y))
    v128.store(target, interleaveHigh(x, y), 16)
  }
}

/** Four columns of four pairs each, transposed: pairs 32 bytes apart. */
@inline
function storeTransposed(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const cd = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const upperAb = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const upperCd = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(target, i8x16.shuffle(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(target, i8x16.shuffle(ab, cd, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 32)
  v128.store(target, i8x16.shuffle(upperAb, upperCd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 64)
  v128.store(target, i8x16.shuffle(upperAb, upperCd, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 96)
}

/** Eight codes of one column minus the zero point. */
@inline
function loadColumn(source: usize, wide: i32, zero: v128): v128 {
  return i16x8.sub(loadCodes(source, wide), zero)
}

/** A panel each of whose columns lies in one piece. */
@inline
function packLengthwise(
  source: usize, target: usize, wide: i32, inner: i32, columnStep: i32, zeroPoint: i32, zero: v128,
): void {
  const whole = inner & -8
  let from = source
  for (let k = 0; k < whole; k += 8, from += 8 << wide) {
    const to = target + (k << 4)
    storeTransposed(
      to, loadColumn(from, wide, zero), loadColumn(from + columnStep, wide, zero),
      loadColumn(from + 2 * columnStep, wide, zero), loadColumn(from + 3 * columnStep, wide, zero),
    )
    const upper = from + 4 * columnStep
    storeTransposed(
      to + 16, loadColumn(upper, wide, zero), loadColumn(upper + columnStep, wide, zero),
      loadColumn(upper + 2 * columnStep, wide, zero), loadColumn(upper + 3 * columnStep, wide, zero),
    )
  }
  packScattered(source, target, wide, whole, inner, 8, 1 << wide, columnStep, zeroPoint)
}

/** The right operand to panels. Lanes of columns that do not exist keep what they held. */
function packColumns(
  source: usize, target: usize, wide: i32, inner: i32, columns: i32, innerStep: i32, columnStep: i32, zeroPoint: i32,
): void {
  const size = 1 << wide
  const panelBytes = ((inner + 1) >> 1) << 5
  const zero = i16x8.splat(<i16>zeroPoint)
  let n = 0
  for (; n + 8 <= columns; n += 8, source += 8 * columnStep, target += panelBytes) {
    if (columnStep == size) packSideBySide(source, target, wide, inner, innerStep, zero)
    else if (innerStep == size) packLengthwise(source, target, wide, inner, columnStep, zeroPoint, zero)
    else packScattered(source, target, wide, 0, inner, 8, innerStep, columnStep, zeroPoint)
  }
  if (n < columns) packScattered(source, target, wide, 0, inner, columns - n, innerStep, columnStep, zeroPoint)
}

@inline
function products<Kind>(
  left: usize, right: usize, target: usize, leftRows: usize, panels: usize, leftWide: i32, rightWide: i32,
  count0: i32, leftStep0: i32, rightStep0: i32, targetStep0: i32,
  count1: i32, leftStep1: i32, rightStep1: i32, targetStep1: i32,
  rows: i32, inner: i32, columns: i32,
  leftRowStep: i32, leftInnerStep: i32, rightInnerStep: i32, rightColumnStep: i32, targetStride: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, bias: usize, multipliers: usize, epilogue: usize, shift: i32, highShift: i32,
): void {
  const pairs = (inner + 1) >> 1
  // Operands that several products share are packed once.
  let packedLeft: usize = 0, packedRight: usize = 0
  for (let i = 0; i < count0; i++, left += leftStep0, right += rightStep0, target += targetStep0) {
    let a = left, b = right, to = target
    for (let j = 0; j < count1; j++, a += leftStep1, b += rightStep1, to += targetStep1) {
      if (b != packedRight) {
        packColumns(b, panels, rightWide, inner, columns, rightInnerStep, rightColumnStep, rightZeroPoint)
        packedRight = b
      }
      if (leftRows != 0 && a != packedLeft) {
        packRows(a, leftRows, leftWide, rows, inner, leftRowStep, leftInnerStep, leftZeroPoint)
        packedLeft = a
      }
      const input = leftRows != 0 ? leftRows : a
      const pixelStep = leftRows != 0 ? pairs << 2 : leftRowStep
      if (sizeof<Kind>() == 2)
        convolve16(input, panels, to, bias, multipliers, epilogue, rows, rows, columns, targetStride, 0, pixelStep, 1, 0, 1, 0, pairs, shift, highShift)
      else
        convolve(input, panels, to, bias, multipliers, epilogue, rows, rows, columns, targetStride, 0, pixelStep, 1, 0, 1, 0, pairs, shift, highShift)
    }
  }
}

/** s8 results. `leftRows` is 0 where the left operand is read as it is stored; `targetStride` counts elements. */
export function product(
  left: usize, right: usize, target: usize, leftRows: usize, panels: usize, leftWide: i32, rightWide: i32,
  count0: i32, leftStep0: i32, rightStep0: i32, targetStep0: i32,
  count1: i32, leftStep1: i32, rightStep1: i32, targetStep1: i32,
  rows: i32, inner: i32, columns: i32,
  leftRowStep: i32, leftInnerStep: i32, rightInnerStep: i32, rightColumnStep: i32, targetStride: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, bias: usize, multipliers: usize, epilogue: usize, shift: i32, highShift: i32,
): void {
  products<i8>(left, right, target, leftRows, panels, leftWide, rightWide, count0, leftStep0, rightStep0, targetStep0, count1, leftStep1, rightStep1, targetStep1, rows, inner, columns, leftRowStep, leftInnerStep, rightInnerStep, rightColumnStep, targetStride, leftZeroPoint, rightZeroPoint, bias, multipliers, epilogue, shift, highShift)
}

/** s16 results. */
export function product16(
  left: usize, right: usize, target: usize, leftRows: usize, panels: usize, leftWide: i32, rightWide: i32,
  count0: i32, leftStep0: i32, rightStep0: i32, targetStep0: i32,
  count1: i32, leftStep1: i32, rightStep1: i32, targetStep1: i32,
  rows: i32, inner: i32, columns: i32,
  leftRowStep: i32, leftInnerStep: i32, rightInnerStep: i32, rightColumnStep: i32, targetStride: i32,
  leftZeroPoint: i32, rightZeroPoint: i32, bias: usize, multipliers: usize, epilogue: usize, shift: i32, highShift: i32,
): void {
  products<i16>(left, right, target, leftRows, panels, leftWide, rightWide, count0, leftStep0, rightStep0, targetStep0, count1, leftStep1, rightStep1, targetStep1, rows, inner, columns, leftRowStep, leftInnerStep, rightInnerStep, rightColumnStep, targetStride, leftZeroPoint, rightZeroPoint, bias, multipliers, epilogue, shift, highShift)
}
