/**
 * Normalisation over the channels of each pixel in WGSL, by the exact rule of R16: one thread per pixel. Sums of 64 bits,
 * the square root and the reciprocal stand on pairs of 32-bit words, low word first.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

const WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: [
    'pixels',
    'channels',
    'stride',
    'inputSize',
    'outputSize',
    'inputZeroPoint',
    'centred',
    'epsilonLow',
    'epsilonHigh',
    'fractionBits',
    'multipliers',
    'biases',
    'shift',
    'outputZeroPoint',
    'low',
    'high',
  ],
}

const WIDE = `
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

// floor of the square root, two bits of the argument at a time.
fn rootWide(a: vec2<u32>) -> u32 {
  var argument = a;
  var root = 0u;
  var remainder = vec2<u32>();
  for (var digit = 0; digit < 32; digit++) {
    remainder = shiftLeftWide(remainder, 2u);
    remainder.x = remainder.x | (argument.y >> 30u);
    argument = shiftLeftWide(argument, 2u);
    let trial = vec2<u32>((root << 2u) | 1u, root >> 30u);
    root = root << 1u;
    if (remainder.y > trial.y || (remainder.y == trial.y && remainder.x >= trial.x)) {
      remainder = subtractWide(remainder, trial);
      root += 1u;
    }
  }
  return root;
}

// floor((2^62 - 1) / root) for root >= 2^31.
fn reciprocal(root: u32) -> u32 {
  var quotient = 0u;
  var remainder = 0u;
  for (var place = 0; place < 62; place++) {
    let carried = (remainder >> 31u) == 1u;
    remainder = (remainder << 1u) | 1u;
    quotient = quotient << 1u;
    if (carried || remainder >= root) {
      remainder -= root;
      quotient += 1u;
    }
  }
  return quotient;
}
`

export const normalize: GpuKernel = {
  name: 'normalize__plain',
  families: ['normalize'],
  level: 'plain',
  words: WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(WORDS, 'u32')}${CODES}${REQUANTIZE}${WIDE}${THREAD}
  if (index >= p.pixels) { return; }
  let first = (image * p.pixels + index) * p.stride;
  let zero = select(p.inputZeroPoint, 0, p.centred == 1);
  var sum = 0i;
  var squares = vec2<u32>();
  for (var c = 0i; c < p.channels; c++) {
    let x = load(p.input, first + c, p.inputSize) - zero;
    if (p.centred == 1) { sum += x; }
    squares = addWide(squares, vec2<u32>(bitcast<u32>(x * x), 0u));
  }
  let channels = u32(p.channels);
  var weighted = multiplyWide(channels, squares.x);
  weighted.y += channels * squares.y;
  let size = bitcast<u32>(abs(sum));
  weighted = subtractWide(weighted, multiplyWide(size, size));
  weighted = addWide(weighted, vec2<u32>(bitcast<u32>(p.epsilonLow), bitcast<u32>(p.epsilonHigh)));
  let empty = weighted.x == 0u && weighted.y == 0u;
  if (empty) { weighted.x = 1u; }
  let leading = select(countLeadingZeros(weighted.y), 32u + countLeadingZeros(weighted.x), weighted.y == 0u);
  let zeros = leading & 0xfffffffeu;
  let factor = vec4<i32>(bitcast<i32>(reciprocal(rootWide(shiftLeftWide(weighted, zeros)))));
  let places = 62 - i32(zeros >> 1u) - p.fractionBits;
  for (var c = 0i; c < p.channels; c += 4) {
    let x = load4(p.input, first + c, p.inputSize) - vec4<i32>(zero);
    let difference = x * p.channels - vec4<i32>(sum);
    let upper = multiplyHigh(difference, factor);
    var n: vec4<i32>;
    if (places >= 32) {
      n = upper >> vec4<u32>(u32(places - 32));
    } else {
      let lower = bitcast<vec4<u32>>(difference * factor) >> vec4<u32>(u32(places));
      n = (upper << vec4<u32>(u32(32 - places))) | bitcast<vec4<i32>>(lower);
    }
    n = select(n, vec4<i32>(), vec4<bool>(empty));
    let multipliers = constants[p.multipliers + (c >> 2u)];
    let scaled = multiplyHigh(select(n, -n, multipliers < vec4<i32>()), abs(multipliers));
    let rounded = (scaled + constants[p.biases + (c >> 2u)] + vec4<i32>(1i << u32(p.shift - 33))) >> vec4<u32>(u32(p.shift - 32));
    let made = clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
    store4(p.output, first + c, p.outputSize, made);
  }
}
`,
}
