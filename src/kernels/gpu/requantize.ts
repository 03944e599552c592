/**
 * Requantisation in WGSL: rules R3 and R4 of docs/arithmetic.md on 32-bit words, four values at a time. The one place where
 * GPU kernels round a product. The 64-bit product's high word comes from 16-bit halves; each step fits 32 bits because a
 * multiplier is below 2^31, so that its high half is at most 32,767.
 */
export const REQUANTIZE = `
const HALF = vec4<u32>(16u);
const LOW_HALF = vec4<i32>(0xffff);

fn multiplyHigh(value: vec4<i32>, multiplier: vec4<i32>) -> vec4<i32> {
  let valueLow = value & LOW_HALF;
  let valueHigh = value >> HALF;
  let multiplierLow = multiplier & LOW_HALF;
  let multiplierHigh = multiplier >> HALF;
  let lowLow = bitcast<vec4<i32>>((bitcast<vec4<u32>>(valueLow) * bitcast<vec4<u32>>(multiplierLow)) >> HALF);
  let first = valueLow * multiplierHigh + lowLow;
  let second = valueHigh * multiplierLow + (first & LOW_HALF);
  return valueHigh * multiplierHigh + (first >> HALF) + (second >> HALF);
}

fn roundHigh(high: vec4<i32>, low: vec4<u32>, shift: i32) -> vec4<i32> {
  if (shift == 32) {
    return high + bitcast<vec4<i32>>(low >> vec4<u32>(31u));
  }
  return (high + vec4<i32>(1i << u32(shift - 33))) >> vec4<u32>(u32(shift - 32));
}

// R3: (value * multiplier + 2^(shift-1)) >> shift.
fn requantize(value: vec4<i32>, multiplier: vec4<i32>, shift: i32) -> vec4<i32> {
  return roundHigh(multiplyHigh(value, multiplier), bitcast<vec4<u32>>(value * multiplier), shift);
}

// R4: two products under one rounding; the sum is below 2^63.
fn requantizeSum(a: vec4<i32>, multiplierA: vec4<i32>, b: vec4<i32>, multiplierB: vec4<i32>, shift: i32) -> vec4<i32> {
  let lowA = bitcast<vec4<u32>>(a * multiplierA);
  let low = lowA + bitcast<vec4<u32>>(b * multiplierB);
  let carry = select(vec4<i32>(0), vec4<i32>(1), low < lowA);
  return roundHigh(multiplyHigh(a, multiplierA) + multiplyHigh(b, multiplierB) + carry, low, shift);
}
`
