// Rule R14: linear interpolation along both axes with one rounding. Four weights of at most 2^14 and codes of 16 bits: two
// dot products per channel, exact in int32.
import { interleaveHigh, interleaveLow, loadCodes, storeNarrowed } from './elementwise'

/** Two weights as 16-bit halves of every 32-bit lane. */
@inline
function pair(first: i32, second: i32): v128 {
  return i32x4.splat(first | (second << 16))
}

/**
 * `rows` and `columns` hold three i32 per output index: byte offsets of the first and second source row (column), and the
 * share of the second in 1/2^bits. `stride` counts codes, `wide` is 1 for 16 bits.
 */
export function resize(
  source: usize, target: usize, wide: i32, stride: i32, height: i32, width: i32, rows: usize, columns: usize, bits: i32,
): void {
  const one = 1 << bits, shift = 2 * bits
  const rounding = i32x4.splat((1 << shift) >> 1)
  const pixel = stride << wide, step = 8 << wide
  const columnsEnd = columns + width * 12
  for (const rowsEnd = rows + height * 12; rows < rowsEnd; rows += 12) {
    const upper = source + load<i32>(rows), lower = source + load<i32>(rows, 4)
    const below = load<i32>(rows, 8), above = one - below
    for (let column = columns; column < columnsEnd; column += 12) {
      const left = load<i32>(column), right = load<i32>(column, 4)
      const after = load<i32>(column, 8), before = one - after
      const upperWeights = pair(above * before, above * after), lowerWeights = pair(below * before, below * after)
      let a = upper + left, b = upper + right, c = lower + left, d = lower + right
      for (const end = target + pixel; target < end; target += step, a += step, b += step, c += step, d += step) {
        const upperLeft = loadCodes(a, wide), upperRight = loadCodes(b, wide)
        const lowerLeft = loadCodes(c, wide), lowerRight = loadCodes(d, wide)
        const sum0 = i32x4.add(
          i32x4.dot_i16x8_s(interleaveLow(upperLeft, upperRight), upperWeights),
          i32x4.dot_i16x8_s(interleaveLow(lowerLeft, lowerRight), lowerWeights),
        )
        const sum1 = i32x4.add(
          i32x4.dot_i16x8_s(interleaveHigh(upperLeft, upperRight), upperWeights),
          i32x4.dot_i16x8_s(interleaveHigh(lowerLeft, lowerRight), lowerWeights),
        )
        storeNarrowed(
          target,
          i16x8.narrow_i32x4_s(
            i32x4.shr_s(i32x4.add(sum0, rounding), shift),
            i32x4.shr_s(i32x4.add(sum1, rounding), shift),
          ),
          wide,
        )
      }
    }
  }
}
