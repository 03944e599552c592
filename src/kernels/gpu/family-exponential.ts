/**
 * The exponentials inside rules R17 and R18 in WGSL, as I-ViT (shifts) and I-BERT (a parabola) publish them. They read the
 * words `unit`, `places`, `exactHalf` (shifts) and `unit`, `linear`, `constantTerm`, `multiplier`, `multiplierShift`.
 */

/** `shiftBelow(distance)`, e^(−distance) for 0 ≤ distance < 2^16; below 2^31. */
export const SHIFT_EXPONENTIAL = `
// value * 1.4375, rounded as value + (value >> 1) - (value >> 4) is.
fn raised(value: i32) -> i32 {
  return value + (value >> 1u) - (value >> 4u);
}

fn shiftBelow(distance: i32) -> u32 {
  let unit = u32(p.unit);
  let power = min(u32(-raised(-distance)), u32(p.places) * unit);
  let whole = power / unit;
  let twice = 2u * unit - (power - whole * unit);
  return (select(twice & 0xfffffffeu, twice, p.exactHalf == 1) << u32(p.places)) >> (whole + 1u);
}
`

/** `shiftAbove(value)`, e^value for 0 < value < 2^17, at most 2^31 − 1, where it is limited. Follows the one below. */
export const SHIFT_EXPONENTIAL_ABOVE = `
// Training rounds the power of two up and the fraction is negative; deployment rounds it down.
fn shiftAbove(value: i32) -> u32 {
  let unit = u32(p.unit);
  let power = u32(raised(value));
  let floor = power / unit;
  let rest = power - floor * unit;
  let up = p.exactHalf == 1 && rest > 0u;
  let twice = 2u * unit + select(select(rest & 0xfffffffeu, rest, p.exactHalf == 1), rest - unit, up);
  let shift = u32(p.places) - 1u + floor + select(0u, 1u, up);
  if (shift >= countLeadingZeros(twice)) { return 0x7fffffffu; }
  return twice << shift;
}
`

/** `parabolaBelow(distance)`, the same of i-exp, at most 32,767. Needs the functions of wide integers. */
export const PARABOLA_EXPONENTIAL = `
fn parabolaBelow(distance: i32) -> u32 {
  let unit = u32(p.unit);
  let limited = min(u32(distance), 30u * unit);
  let whole = limited / unit;
  let rest = limited - whole * unit;
  let taken = (u32(p.linear) - rest) * rest;
  let highest = bitcast<u32>(p.constantTerm);
  let places = u32(p.multiplierShift) - 30u + whole;
  // The product is below 2^63: 64 places leave nothing.
  if (taken >= highest || places >= 64u) { return 0u; }
  let product = multiplyWide(highest - taken, bitcast<u32>(p.multiplier));
  // Half to even: just below half, and one more where the floor is odd.
  let odd = shiftRightWide(product, places).x & 1u;
  let half = shiftLeftWide(vec2<u32>(1u, 0u), places - 1u);
  let below = subtractWide(half, vec2<u32>(1u - odd, 0u));
  return shiftRightWide(addWide(product, below), places).x;
}
`
