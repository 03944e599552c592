/** Softmax over the channels of each pixel in WGSL (R13): one thread per pixel. Tables are words, 256 each. */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

const WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['pixels', 'channels', 'stride', 'inputSize', 'outputSize', 'coarse', 'fine', 'one'].concat([
    'outputZeroPoint',
    'low',
    'high',
  ]),
}

export const softmax: GpuKernel = {
  name: 'softmax__plain',
  families: ['softmax'],
  level: 'plain',
  words: WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(WORDS, 'u32')}${CODES}
fn exponential(difference: i32) -> i32 {
  let product = constant(4 * p.coarse + (difference >> 8u)) * constant(4 * p.fine + (difference & 255));
  return (product + 0x4000) >> 15u;
}

// floor(one * 2^31 / sum) by long division; sum is at most 2^31.
fn floorRatio(one: u32, sum: u32) -> u32 {
  var ratio = select(0u, 1u, one >= sum);
  var remainder = one - ratio * sum;
  for (var place = 0; place < 31; place++) {
    remainder = remainder << 1u;
    ratio = ratio << 1u;
    if (remainder >= sum) {
      remainder -= sum;
      ratio += 1u;
    }
  }
  return ratio;
}

// (e * share + 2^30) >> 31 on the two halves of share; each step fits 32 bits.
fn scaleShare(e: u32, share: u32) -> i32 {
  let low = (e * (share & 0xffffu) + 0x40000000u) >> 16u;
  return i32((e * (share >> 16u) + low) >> 15u);
}
${THREAD}
  if (index >= p.pixels) { return; }
  let first = (image * p.pixels + index) * p.stride;
  var largest = load(p.input, first, p.inputSize);
  for (var c = 1i; c < p.channels; c++) { largest = max(largest, load(p.input, first + c, p.inputSize)); }
  var sum = 0u;
  for (var c = 0i; c < p.channels; c++) { sum += u32(exponential(largest - load(p.input, first + c, p.inputSize))); }
  let share = floorRatio(u32(p.one), sum);
  for (var c = 0i; c < p.channels; c += 4) {
    let x = load4(p.input, first + c, p.inputSize);
    var codes: vec4<i32>;
    for (var lane = 0i; lane < 4; lane++) {
      // Spare lanes hold anything; the tables end at 65,535.
      let e = exponential(clamp(largest - x[lane], 0, 65535));
      codes[lane] = scaleShare(u32(e), share);
    }
    let made = clamp(codes + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
    store4(p.output, first + c, p.outputSize, made);
  }
}
`,
}
