// The measured yardstick of the matrix-product bench, in AssemblyScript: the simplest kernel that reached the speed our
// own is held against (within 10 % in the same run). It is timed, never shipped.
//
//   C[m][n] = clamp_s8(((Σk A[m][k] · B[k][n] + bias[n]) · multiplier[n] + 2^(shift−1)) >> shift)
//
// A is row-major s16, C row-major s8, bias and multiplier s32. B is s16 in panels of 8 columns, [N/8][K/2][8][2]: one
// pair of consecutive k per 32-bit lane. Tile 4 rows × 8 columns, 8 accumulators, the k loop not unrolled and ended by
// a pointer. M is a multiple of 4, N of 8, K of 2; 32 ≤ shift ≤ 62; the accumulator plus bias fits in s32.

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b))
}

/** Four lanes of (sum + bias) · multiplier + rounding, high halves shifted by shift − 32: the 64-bit shift in s32. */
function requantize(sum: v128, bias: v128, multiplier: v128, rounding: v128, shift: i32): v128 {
  const biased = i32x4.add(sum, bias)
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(biased, multiplier), rounding)
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(biased, multiplier), rounding)
  return i32x4.shr_s(v128.shuffle<i32>(low, high, 1, 3, 5, 7), shift)
}

function storeRow(target: usize, left: v128, right: v128): void {
  const narrow = i16x8.narrow_i32x4_s(left, right)
  v128.store64_lane(target, i8x16.narrow_i16x8_s(narrow, narrow), 0)
}

export function gemm(
  A: usize,
  B: usize,
  C: usize,
  bias: usize,
  multiplier: usize,
  M: i32,
  N: i32,
  K: i32,
  shift: i32,
): void {
  const rowBytes = (K as usize) << 1
  const panelBytes = (K as usize) << 4
  const rounding = i64x2.splat((1 as i64) << ((shift - 1) as i64))
  const highShift = shift - 32
  for (let column = 0; column < N; column += 8) {
    const biasLeft = v128.load(bias)
    const biasRight = v128.load(bias, 16)
    const multiplierLeft = v128.load(multiplier)
    const multiplierRight = v128.load(multiplier, 16)
    let target = C + (column as usize)
    let rows = A
    for (let row = 0; row < M; row += 4) {
      let c00 = i32x4.splat(0)
      let c01 = c00
      let c10 = c00
      let c11 = c00
      let c20 = c00
      let c21 = c00
      let c30 = c00
      let c31 = c00
      let a0 = rows
      let a1 = a0 + rowBytes
      let a2 = a1 + rowBytes
      let a3 = a2 + rowBytes
      let panel = B
      const end = a1
      while (a0 < end) {
        const b0 = v128.load(panel)
        const b1 = v128.load(panel, 16)
        let a = v128.load32_splat(a0)
        c00 = multiplyAdd(c00, a, b0)
        c01 = multiplyAdd(c01, a, b1)
        a = v128.load32_splat(a1)
        c10 = multiplyAdd(c10, a, b0)
        c11 = multiplyAdd(c11, a, b1)
        a = v128.load32_splat(a2)
        c20 = multiplyAdd(c20, a, b0)
        c21 = multiplyAdd(c21, a, b1)
        a = v128.load32_splat(a3)
        c30 = multiplyAdd(c30, a, b0)
        c31 = multiplyAdd(c31, a, b1)
        a0 += 4
        a1 += 4
        a2 += 4
        a3 += 4
        panel += 32
      }
      storeRow(
        target,
        requantize(c00, biasLeft, multiplierLeft, rounding, highShift),
        requantize(c01, biasRight, multiplierRight, rounding, highShift),
      )
      target += N
      storeRow(
        target,
        requantize(c10, biasLeft, multiplierLeft, rounding, highShift),
        requantize(c11, biasRight, multiplierRight, rounding, highShift),
      )
      target += N
      storeRow(
        target,
        requantize(c20, biasLeft, multiplierLeft, rounding, highShift),
        requantize(c21, biasRight, multiplierRight, rounding, highShift),
      )
      target += N
      storeRow(
        target,
        requantize(c30, biasLeft, multiplierLeft, rounding, highShift),
        requantize(c31, biasRight, multiplierRight, rounding, highShift),
      )
      target += N
      rows += rowBytes << 2
    }
    B += panelBytes
    bias += 32
    multiplier += 32
  }
}
