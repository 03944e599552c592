/** Operands of simulated products: mantissas reduced, the largest pattern found. simd128. */

/** Floats with `mantissaBits` mantissa bits: the first ones, or rounded half to even. Infinities and NaN stay. */
export function reduceMantissas(input: usize, output: usize, count: i32, mantissaBits: i32, nearest: i32): void {
  const dropped = 23 - mantissaBits
  const keep = -1 << dropped
  const bump = nearest && dropped ? (1 << (dropped - 1)) - 1 : 0
  const odd = nearest && dropped ? 1 : 0
  const keeps = i32x4.splat(keep), bumps = i32x4.splat(bump), odds = i32x4.splat(odd)
  const exponents = i32x4.splat(0x7f800000)
  for (; count >= 4; count -= 4, input += 16, output += 16) {
    const x = v128.load(input)
    const reduced = v128.and(
      i32x4.add(i32x4.add(x, bumps), v128.and(i32x4.shr_u(x, dropped), odds)), keeps,
    )
    const special = i32x4.eq(v128.and(x, exponents), exponents)
    v128.store(output, v128.bitselect(x, reduced, special))
  }
  for (; count > 0; count--, input += 4, output += 4) {
    const x = load<i32>(input)
    const reduced = (x + bump + ((x >> dropped) & odd)) & keep
    store<i32>(output, (x & 0x7f800000) == 0x7f800000 ? x : reduced)
  }
}

/** The largest pattern without its sign, as an integer: above 0x7f7fffff where there is an infinity or NaN. */
export function largestPattern(input: usize, count: i32): i32 {
  const absolute = i32x4.splat(i32.MAX_VALUE)
  let most = i32x4.splat(0)
  for (; count >= 4; count -= 4, input += 16) most = i32x4.max_s(most, v128.and(v128.load(input), absolute))
  let one = 0
  for (; count > 0; count--, input += 4) one = max(one, load<i32>(input) & i32.MAX_VALUE)
  one = max(one, max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)))
  return max(one, max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)))
}
