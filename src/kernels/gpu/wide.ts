/**
 * Integers of 64 bits in WGSL, as pairs of 32-bit words, low word first: sums, products, shifts, quotients (Knuth, The Art of
 * Computer Programming 2, 4.3.1, algorithm D with digits of 16 bits) and square roots (Zimmermann, Karatsuba Square Root, 1999:
 * a root of twice the digits takes one division). Everything is exact, and a quotient or root takes two divisions of words.
 */
export const WIDE = `
fn addWide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn subtractWide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn multiplyWide(a: u32, b: u32) -> vec2<u32> {
  let lowLow = (a & 0xffffu) * (b & 0xffffu);
  let first = (a & 0xffffu) * (b >> 16u) + (lowLow >> 16u);
  let second = (a >> 16u) * (b & 0xffffu) + (first & 0xffffu);
  return vec2<u32>(a * b, (a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u));
}

// 0 <= places < 64.
fn shiftLeftWide(a: vec2<u32>, places: u32) -> vec2<u32> {
  if (places == 0u) { return a; }
  if (places >= 32u) { return vec2<u32>(0u, a.x << (places - 32u)); }
  return vec2<u32>(a.x << places, (a.y << places) | (a.x >> (32u - places)));
}

// 0 <= places < 64.
fn shiftRightWide(a: vec2<u32>, places: u32) -> vec2<u32> {
  if (places == 0u) { return a; }
  if (places >= 32u) { return vec2<u32>(a.y >> (places - 32u), 0u); }
  return vec2<u32>((a.x >> places) | (a.y << (32u - places)), a.y >> places);
}

fn leadingZerosWide(a: vec2<u32>) -> u32 {
  return select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u);
}

// floor((rest * 2^16 + next) / divisor) for rest < divisor, 2^31 <= divisor, next < 2^16. The first estimate is at most two
// too large.
fn quotientDigit(rest: u32, next: u32, divisor: u32) -> u32 {
  let upper = divisor >> 16u;
  let lower = divisor & 0xffffu;
  var digit = min(rest / upper, 0xffffu);
  var left = rest - digit * upper;
  for (var step = 0; step < 2; step++) {
    if (left <= 0xffffu && digit * lower > ((left << 16u) | next)) {
      digit -= 1u;
      left += upper;
    }
  }
  return digit;
}

// floor(a / divisor) where it has 32 bits: a.y < divisor.
fn divideWide(a: vec2<u32>, divisor: u32) -> u32 {
  let places = countLeadingZeros(divisor);
  let d = divisor << (places & 31u);
  let dividend = shiftLeftWide(a, places);
  let first = quotientDigit(dividend.y, dividend.x >> 16u, d);
  let rest = ((dividend.y << 16u) | (dividend.x >> 16u)) - first * d;
  return (first << 16u) | quotientDigit(rest, dividend.x & 0xffffu, d);
}

// floor of the square root of a >= 2^62: 8 bits digit by digit, then 16, then 32.
fn rootOfNormalised(a: vec2<u32>) -> u32 {
  var root = 0u;
  var remainder = 0u;
  for (var place = 30; place >= 16; place -= 2) {
    remainder = (remainder << 2u) | ((a.y >> u32(place)) & 3u);
    let trial = (root << 2u) | 1u;
    let digit = remainder >= trial;
    root = (root << 1u) | select(0u, 1u, digit);
    remainder -= select(0u, trial, digit);
  }

  let numerator = (remainder << 8u) | ((a.y >> 8u) & 0xffu);
  let quotient = numerator / (2u * root);
  let square = quotient * quotient;
  let rest = ((numerator - quotient * 2u * root) << 8u) | (a.y & 0xffu);
  root = (root << 8u) + quotient;
  remainder = rest - square;
  if (rest < square) {
    remainder += 2u * root - 1u;
    root -= 1u;
  }

  // The numerator has 33 bits; its last one waits until it has been divided by two.
  let half = (remainder << 15u) | (a.x >> 17u);
  let last = half / root;
  let left = 2u * (half - last * root) + ((a.x >> 16u) & 1u);
  let squareWide = multiplyWide(last, last);
  let high = left >> 16u;
  let low = (left << 16u) | (a.x & 0xffffu);
  let large = high < squareWide.y || (high == squareWide.y && low < squareWide.x);
  return (root << 16u) + last - select(0u, 1u, large);
}

// floor of the square root.
fn rootWide(a: vec2<u32>) -> u32 {
  let zeros = leadingZerosWide(a) & 62u;
  return rootOfNormalised(shiftLeftWide(a, zeros)) >> (zeros >> 1u);
}
`
