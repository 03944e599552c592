/**
 * Depthwise convolution under a simulated arithmetic: the arguments and layouts of ../float/depthwise.ts, and a rule
 * (product-rule.ts). Tile of 1 pixel × 8 channels; always the adder for all operands, since the layers are small.
 */
import { addPatterns, reduce, roundProduct } from './product-rule'
import { storeChannels } from './store-channels'

export function depthwiseProducts(
  input: usize, offsets: usize, pixels: i32, taps: usize, tapCount: i32, weights: usize, bias: usize,
  output: usize, outputStride: usize, channels: i32,
  residual: usize, residualStride: usize, lowest: f32, highest: f32, rule: usize,
): void {
  const low = f32x4.splat(lowest), high = f32x4.splat(highest), zero = f32x4.splat(0), one = i32x4.splat(1)
  const kind = load<i32>(rule)
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
  const tapsEnd = taps + (<usize>tapCount << 2)
  const panelBytes = <usize>tapCount << 5
  for (let m = 0; m < pixels; m++, offsets += 4, output += outputStride, residual += residual ? residualStride : 0) {
    let source = input + <usize>load<i32>(offsets), target = output, added = residual, b = bias, panel = weights
    for (let left = channels; left > 0; left -= 8, source += 32, target += 32, panel += panelBytes) {
      let c0 = b ? f32x4.add(v128.load(b), zero) : zero, c1 = b ? f32x4.add(v128.load(b, 16), zero) : zero
      let w = panel
      for (let t = taps; t < tapsEnd; t += 4, w += 32) {
        const p = source + <usize>load<i32>(t)
        let x0 = v128.load(p), x1 = left > 4 ? v128.load(p, 16) : zero
        let v0 = v128.load(w), v1 = v128.load(w, 16)
        let q0: v128, q1: v128
        if (kind == 1) {
          x0 = reduce(x0, keep, bump, odd, operandShift)
          x1 = reduce(x1, keep, bump, odd, operandShift)
          v0 = reduce(v0, keep, bump, odd, operandShift)
          v1 = reduce(v1, keep, bump, odd, operandShift)
          q0 = addPatterns(x0, v0, offset, base)
          q1 = addPatterns(x1, v1, offset, base)
        } else {
          q0 = f32x4.mul(x0, v0)
          q1 = f32x4.mul(x1, v1)
          if (kind == 2) {
            q0 = roundProduct(q0, productKeep, productBump, productOdd, productShift, least, lift)
            q1 = roundProduct(q1, productKeep, productBump, productOdd, productShift, least, lift)
          }
        }
        c0 = f32x4.add(c0, q0)
        c1 = f32x4.add(c1, q1)
        if (sumShift) {
          c0 = reduce(c0, sumKeep, sumBump, one, sumShift)
          c1 = reduce(c1, sumKeep, sumBump, one, sumShift)
        }
      }
      storeChannels(target, added, left, c0, c1, low, high)
      b += b ? 32 : 0
      added += added ? 32 : 0
    }
  }
}
