/**
 * Convolution and matrix product under a simulated arithmetic of products and sums: the float kernel of the fast executor
 * (../float/convolve.ts) with the same arguments and the same layouts, tile of 2 pixels × 8 channels, and a rule. Sums start at
 * the bias and take one product after the other, in segment order; each addition is rounded to float32 and then to the rule's
 * mantissa bits.
 */
import { largestPattern } from './operands'
import {
  ABSOLUTE, ADDED, ANY, FLOAT, INFINITE, ROUNDED, addPatterns, reduce, roundProduct, threshold,
} from './product-rule'
import { storeChannels } from './store-channels'

// @ts-ignore: decorator
@inline
function accumulate(sum: v128, product: v128, kind: i32, narrow: bool, keep: v128, bump: v128, dropped: i32): v128 {
  const added = f32x4.add(sum, product)
  if (!narrow) return added
  const one = i32x4.splat(1)
  if (kind == ADDED)
    return v128.and(i32x4.add(i32x4.add(added, bump), v128.and(i32x4.shr_u(added, dropped), one)), keep)
  return reduce(added, keep, bump, one, dropped)
}

/** Tiles of one panel of 8 channels, compiled for one kind. */
// @ts-ignore: decorator
@inline
function panelTiles(
  kind: i32, narrow: bool, input: usize, offsets: usize, pixels: i32, segments: usize, segmentsEnd: usize,
  runBytes: usize, weights: usize, start0: v128, start1: v128, output: usize, outputStride: usize, channels: i32, residual: usize,
  residualStride: usize, low: v128, high: v128, rule: usize,
): void {
  const absolute = i32x4.splat(ABSOLUTE)
  const offset = i32x4.splat(load<i32>(rule, 16)), base = i32x4.splat(0x7fffff + load<i32>(rule, 16))
  const keep = i32x4.splat(load<i32>(rule, 4)), bump = i32x4.splat(load<i32>(rule, 8))
  const operandShift = load<i32>(rule, 12), odd = i32x4.splat(i32(operandShift != 0))
  const sumShift = load<i32>(rule, 20)
  const sumKeep = i32x4.splat(-1 << sumShift), sumBump = i32x4.splat(sumShift ? (1 << (sumShift - 1)) - 1 : 0)
  const productShift = load<i32>(rule, 24)
  const productKeep = i32x4.splat(-1 << productShift)
  const productBump = i32x4.splat(productShift ? (1 << (productShift - 1)) - 1 : 0)
  const productOdd = i32x4.splat(i32(productShift != 0))
  const least = v128.load32_splat(rule, 28)
  const lift = f32x4.mul(least, f32x4.splat(<f32>(1 << productShift)))
  const last = max(pixels - 2, 0), next = <usize>min(1, pixels - 1)
  for (let m = 0; m < pixels; m += 2) {
    // The last tile overlaps the one before it; a single pixel is both of its rows.
    const first = <usize>min(m, last)
    const table = offsets + (first << 2)
    const b0 = input + <usize>load<i32>(table), b1 = input + <usize>load<i32>(table + (next << 2))
    let c00 = start0, c01 = start1, c10 = start0, c11 = start1
    let w = weights
    for (let s = segments; s < segmentsEnd; s += 4) {
      const at = <usize>load<i32>(s)
      let p0 = b0 + at, p1 = b1 + at
      for (const end = p0 + runBytes; p0 < end; p0 += 4, p1 += 4, w += 32) {
        let v0 = v128.load(w), v1 = v128.load(w, 16)
        let x0 = v128.load32_splat(p0), x1 = v128.load32_splat(p1)
        if (kind == ADDED) {
          v0 = v128.and(v0, keep)
          v1 = v128.and(v1, keep)
          x0 = v128.and(x0, keep)
          x1 = v128.and(x1, keep)
          const m0 = v128.and(v0, absolute), m1 = v128.and(v1, absolute)
          const t0 = threshold(v128.and(x0, absolute), base), t1 = threshold(v128.and(x1, absolute), base)
          x0 = i32x4.sub(x0, offset)
          x1 = i32x4.sub(x1, offset)
          c00 = accumulate(
            c00, v128.and(i32x4.add(x0, v0), i32x4.gt_s(m0, t0)), kind, narrow, sumKeep, sumBump, sumShift,
          )
          c01 = accumulate(
            c01, v128.and(i32x4.add(x0, v1), i32x4.gt_s(m1, t0)), kind, narrow, sumKeep, sumBump, sumShift,
          )
          c10 = accumulate(
            c10, v128.and(i32x4.add(x1, v0), i32x4.gt_s(m0, t1)), kind, narrow, sumKeep, sumBump, sumShift,
          )
          c11 = accumulate(
            c11, v128.and(i32x4.add(x1, v1), i32x4.gt_s(m1, t1)), kind, narrow, sumKeep, sumBump, sumShift,
          )
        } else if (kind == ANY) {
          v0 = reduce(v0, keep, bump, odd, operandShift)
          v1 = reduce(v1, keep, bump, odd, operandShift)
          x0 = reduce(x0, keep, bump, odd, operandShift)
          x1 = reduce(x1, keep, bump, odd, operandShift)
          c00 = accumulate(c00, addPatterns(x0, v0, offset, base), kind, narrow, sumKeep, sumBump, sumShift)
          c01 = accumulate(c01, addPatterns(x0, v1, offset, base), kind, narrow, sumKeep, sumBump, sumShift)
          c10 = accumulate(c10, addPatterns(x1, v0, offset, base), kind, narrow, sumKeep, sumBump, sumShift)
          c11 = accumulate(c11, addPatterns(x1, v1, offset, base), kind, narrow, sumKeep, sumBump, sumShift)
        } else {
          let q00 = f32x4.mul(x0, v0), q01 = f32x4.mul(x0, v1), q10 = f32x4.mul(x1, v0), q11 = f32x4.mul(x1, v1)
          if (kind == ROUNDED) {
            q00 = roundProduct(q00, productKeep, productBump, productOdd, productShift, least, lift)
            q01 = roundProduct(q01, productKeep, productBump, productOdd, productShift, least, lift)
            q10 = roundProduct(q10, productKeep, productBump, productOdd, productShift, least, lift)
            q11 = roundProduct(q11, productKeep, productBump, productOdd, productShift, least, lift)
          }
          c00 = accumulate(c00, q00, kind, narrow, sumKeep, sumBump, sumShift)
          c01 = accumulate(c01, q01, kind, narrow, sumKeep, sumBump, sumShift)
          c10 = accumulate(c10, q10, kind, narrow, sumKeep, sumBump, sumShift)
          c11 = accumulate(c11, q11, kind, narrow, sumKeep, sumBump, sumShift)
        }
      }
    }
    const target = output + first * outputStride
    const added = residual ? residual + first * residualStride : 0
    storeChannels(target, added, channels, c00, c01, low, high)
    storeChannels(
      target + next * outputStride, residual ? added + next * residualStride : 0, channels, c10, c11, low, high,
    )
  }
}

/** Whether no sum of two patterns can reach infinity and no operand is special, so that the short adder is right. */
function staysFinite(
  input: usize, offsets: usize, pixels: i32, segments: usize, segmentCount: i32, runBytes: usize, weights: usize,
  weightCount: i32, rule: usize,
): bool {
  if (load<i32>(rule, 12)) return false
  let least = i32.MAX_VALUE, most = i32.MIN_VALUE, start = i32.MAX_VALUE, end = i32.MIN_VALUE
  for (let m = 0; m < pixels; m++) {
    const at = load<i32>(offsets + (<usize>m << 2))
    least = min(least, at)
    most = max(most, at)
  }
  for (let s = 0; s < segmentCount; s++) {
    const at = load<i32>(segments + (<usize>s << 2))
    start = min(start, at)
    end = max(end, at)
  }
  const count = (most + end - least - start + <i32>runBytes) >> 2
  const left = <i64>largestPattern(input + <usize>(least + start), count)
  const right = <i64>largestPattern(weights, weightCount)
  return left < INFINITE && right < INFINITE && left + right - load<i32>(rule, 16) < INFINITE
}

/**
 * The arguments of `convolve` in ../float/convolve.ts, and a rule (product-rule.ts). `channels` may be any number: no more than
 * these are stored. `bias` may be 0 for none.
 */
export function convolveProducts(
  input: usize, offsets: usize, pixels: i32, segments: usize, segmentCount: i32, runBytes: usize,
  weights: usize, bias: usize, output: usize, outputStride: usize, channels: i32,
  residual: usize, residualStride: usize, lowest: f32, highest: f32, rule: usize,
): void {
  if (pixels < 1 || channels < 1) return
  const low = f32x4.splat(lowest), high = f32x4.splat(highest), zero = f32x4.splat(0)
  const segmentsEnd = segments + (<usize>segmentCount << 2)
  const panelBytes = (<usize>segmentCount * runBytes) << 3
  const panels = (channels + 7) >> 3
  const narrow = load<i32>(rule, 20) != 0
  let kind = load<i32>(rule)
  if (kind == 1)
    kind = staysFinite(
      input, offsets, pixels, segments, segmentCount, runBytes, weights, panels * <i32>(panelBytes >> 2), rule,
    ) ? ADDED : ANY
  else if (kind == 2) kind = ROUNDED
  for (; channels > 0; channels -= 8) {
    // A bias of −0 counts as 0: a sum that starts at 0 is never −0, so zero products need no sign.
    const s0 = bias ? f32x4.add(v128.load(bias), zero) : zero, s1 = bias ? f32x4.add(v128.load(bias, 16), zero) : zero
    if (kind == ADDED) {
      if (narrow) panelTiles(
        ADDED, true, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
      else panelTiles(
        ADDED, false, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
    } else if (kind == ANY) {
      if (narrow) panelTiles(
        ANY, true, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
      else panelTiles(
        ANY, false, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
    } else if (kind == ROUNDED) {
      if (narrow) panelTiles(
        ROUNDED, true, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
      else panelTiles(
        ROUNDED, false, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
    } else {
      if (narrow) panelTiles(
        FLOAT, true, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
      else panelTiles(
        FLOAT, false, input, offsets, pixels, segments, segmentsEnd, runBytes, weights, s0, s1, output, outputStride,
        channels, residual, residualStride, low, high, rule,
      )
    }
    weights += panelBytes
    bias += bias ? 32 : 0
    output += 32
    residual += residual ? 32 : 0
  }
}
