/** What the float kernels share: one multiply-add and the end of a tile row. */

/** c + a·b with two roundings, as every engine without relaxed SIMD does it. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(c: v128, a: v128, b: v128): v128 {
  return f32x4.add(c, f32x4.mul(a, b))
}

/** min(max(x, low), high); a NaN in x stays NaN. */
// @ts-ignore: decorator
@inline
export function clip(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high)
}

/** Stores 8 channels (4 when not `wide`) of one pixel after residual (0: none) and clip. */
// @ts-ignore: decorator
@inline
export function store(target: usize, residual: usize, wide: bool, c0: v128, c1: v128, low: v128, high: v128): void {
  if (residual) {
    c0 = f32x4.add(c0, v128.load(residual))
    if (wide) c1 = f32x4.add(c1, v128.load(residual, 16))
  }
  v128.store(target, clip(c0, low, high))
  if (wide) v128.store(target, clip(c1, low, high), 16)
}
