// Rule R16 as I-ViT (rules 1 and 2: `shift`, `shift-deployment`) and I-BERT (0: `poly`) compute it: a rounded mean, the sum of
// squares of what is left, a root and one reciprocal per pixel. Spare lanes count in neither sum.
import { loadCodes, storeMixed } from './elementwise'
import { affine, firstLanes, rootOf, sumOf } from './normalize'

@inline
function meanOf(sum: i32, channels: i32, rule: i32): i32 {
  if (rule == 2) return sum / channels
  const size = sum < 0 ? -sum : sum
  let mean = size / channels
  const twice = 2 * (size - mean * channels)
  if (twice > channels || (twice == channels && (mean & 1))) mean++
  return sum < 0 ? -mean : mean
}

/** Sum of the squares of values less the mean, shifted: each below 2^32, at most 2^15 of them. */
@inline
function squaresOf(source: usize, wide: i32, channels: i32, zero: v128, mean: v128, shift: i32): u64 {
  let sums = i64x2.splat(0)
  for (; channels > 0; channels -= 8, source += 8 << wide) {
    const x = i16x8.sub(loadCodes(source, wide), zero), real = firstLanes(channels)
    const y0 = v128.and(i32x4.sub(i32x4.extend_low_i16x8_s(x), mean), i32x4.extend_low_i16x8_s(real))
    const y1 = v128.and(i32x4.sub(i32x4.extend_high_i16x8_s(x), mean), i32x4.extend_high_i16x8_s(real))
    const z0 = i32x4.shr_s(y0, shift), z1 = i32x4.shr_s(y1, shift)
    const squares0 = i32x4.mul(z0, z0), squares1 = i32x4.mul(z1, z1)
    sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(squares0), i64x2.extend_high_i32x4_u(squares0)))
    sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(squares1), i64x2.extend_high_i32x4_u(squares1)))
  }
  return i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1)
}

/** Ten Newton steps from 2^16, and the reciprocal of what they reach. */
@inline
function shiftFactor(squares: u64): u32 {
  let root: u64 = 0x10000
  for (let step = 0; step < 10; step++) root = (root + squares / root) >> 1
  return <u32>(0x7fffffff / root)
}

/** From the exact root, found on 63 or 64 bits; 0 for a row of no variance. */
@inline
function polynomialFactor(squares: u64, shift: i32): u32 {
  if (squares == 0) return 0
  const zeros = <i32>clz<u64>(squares) & -2
  const root = <u32>(rootOf(squares << zeros) >> (zeros >> 1))
  return (0x80000000 / root) >> shift
}

/** (y * factor) >> 1, which fits 32 bits; `odd` is the factor's last bit as a mask, `up` the same where products are truncated. */
@inline
function halvedProduct(y: v128, half: v128, odd: v128, up: v128): v128 {
  const floor = i32x4.add(i32x4.mul(y, half), v128.and(i32x4.shr_s(y, 1), odd))
  return i32x4.add(floor, v128.and(v128.and(y, up), i32x4.shr_u(y, 31)))
}

/** `biases` contain the rounding term; the epilogue block has 32-bit lanes. Where the mean is taken out the zero point is 0. */
export function normalizeByFamily(
  source: usize, target: usize, sourceWide: i32, targetWide: i32, pixels: i32, channels: i32, centred: i32, zeroPoint: i32,
  rule: i32, squareShift: i32, multipliers: usize, biases: usize, highShift: i32, epilogue: usize,
): void {
  const zero = i16x8.splat(<i16>zeroPoint)
  const sourceStep = 8 << sourceWide, targetStep = 8 << targetWide
  for (let p = 0; p < pixels; p++) {
    const mean = i32x4.splat(centred ? meanOf(sumOf(source, sourceWide, channels, zero), channels, rule) : 0)
    const squares = squaresOf(source, sourceWide, channels, zero, mean, squareShift)
    let factor: u32
    if (rule == 0) factor = polynomialFactor(squares, squareShift)
    else factor = shiftFactor(rule == 2 ? min<u64>(squares, 0xffffffff) : squares)
    const half = i32x4.splat(<i32>(factor >> 1))
    const odd = i32x4.splat(-<i32>(factor & 1))
    const up = rule == 2 ? odd : i32x4.splat(0)
    for (let c = 0; c < channels; c += 8, source += sourceStep, target += targetStep) {
      const x = i16x8.sub(loadCodes(source, sourceWide), zero)
      const y0 = i32x4.sub(i32x4.extend_low_i16x8_s(x), mean)
      const y1 = i32x4.sub(i32x4.extend_high_i16x8_s(x), mean)
      storeMixed(
        target,
        affine(halvedProduct(y0, half, odd, up), multipliers + (c << 2), biases + (c << 2), highShift),
        affine(halvedProduct(y1, half, odd, up), multipliers + (c << 2) + 16, biases + (c << 2) + 16, highShift),
        epilogue, targetWide,
      )
    }
  }
}
