/** The end of a tile row: up to 8 channels after residual and clip, no byte beyond them. */
import { clip } from '../float/epilogue'

function storeSome(target: usize, count: i32, y: v128): void {
  if (count >= 4) v128.store(target, y)
  else {
    if (count > 0) store<f32>(target, f32x4.extract_lane(y, 0))
    if (count > 1) store<f32>(target, f32x4.extract_lane(y, 1), 4)
    if (count > 2) store<f32>(target, f32x4.extract_lane(y, 2), 8)
  }
}

function loadSome(source: usize, count: i32): v128 {
  if (count >= 4) return v128.load(source)
  let x = i32x4.splat(0)
  if (count > 0) x = v128.load32_zero(source)
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(source, 4))
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(source, 8))
  return x
}

/** `residual` is 0 for none; `channels` counts what is left of the row. */
// @ts-ignore: decorator
@inline
export function storeChannels(
  target: usize, residual: usize, channels: i32, c0: v128, c1: v128, low: v128, high: v128,
): void {
  if (residual) {
    c0 = f32x4.add(c0, loadSome(residual, channels))
    c1 = f32x4.add(c1, loadSome(residual + 16, channels - 4))
  }
  storeSome(target, channels, clip(c0, low, high))
  storeSome(target + 16, channels - 4, clip(c1, low, high))
}
