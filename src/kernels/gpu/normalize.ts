/**
 * Normalisation over the channels of each pixel in WGSL by the exact rule of R16. Sums of 64 bits, the square root and the
 * reciprocal stand on pairs of words; every thread of a row computes the last two, which takes as long as one alone would.
 */
import type { GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'
import { rowKernels, rowMain, together } from './rows.ts'
import { WIDE } from './wide.ts'

/** Words that every rule takes. */
export const NORMALIZE_WORDS = ['inputZeroPoint', 'centred', 'multipliers', 'biases', 'shift']

/** What every rule needs: values less what is taken off at once, sums of squares, and the end, where n becomes a code. */
export const NORMALIZE = `${WIDE}${REQUANTIZE}
fn valuesOf(row: Row, turn: i32) -> vec4<i32> {
  return codesOf(row, turn) - vec4<i32>(select(p.inputZeroPoint, 0, p.centred == 1));
}

// For magnitudes below 2^16.
fn sumOfSquares(values: vec4<i32>) -> vec2<u32> {
  let squares = bitcast<vec4<u32>>(values * values);
  let first = addWide(vec2<u32>(squares.x, 0u), vec2<u32>(squares.y, 0u));
  return addWide(first, addWide(vec2<u32>(squares.z, 0u), vec2<u32>(squares.w, 0u)));
}

// Weight and bias of the channel.
fn storeNormalised(row: Row, turn: i32, n: vec4<i32>) {
  let four = channelOf(row, turn) >> 2u;
  let multipliers = constants[p.multipliers + four];
  let scaled = multiplyHigh(select(n, -n, multipliers < vec4<i32>()), abs(multipliers));
  let sum = scaled + constants[p.biases + four] + vec4<i32>(1i << u32(p.shift - 33));
  storeCodes(row, turn, sum >> vec4<u32>(u32(p.shift - 32)));
}
`

const BODY = `  var squares = vec2<u32>();
  var part = vec4<i32>();
  for (var turn = 0; turn < row.turns; turn++) {
    let x = select(vec4<i32>(), valuesOf(row, turn), inside(row, turn));
    part += x;
    squares = addWide(squares, sumOfSquares(x));
  }
  let sums = sumUp(thread, vec3<u32>(squares, bitcast<u32>(part.x + part.y + part.z + part.w)));
  let sum = select(0, bitcast<i32>(sums.z), p.centred == 1);
  let channels = u32(p.channels);
  var weighted = multiplyWide(channels, sums.x);
  weighted.y += channels * sums.y;
  let size = bitcast<u32>(abs(sum));
  weighted = subtractWide(weighted, multiplyWide(size, size));
  weighted = addWide(weighted, vec2<u32>(bitcast<u32>(p.epsilonLow), bitcast<u32>(p.epsilonHigh)));
  // In a row without variance all differences are 0: it does not matter what a root of 0 gives.
  let zeros = leadingZerosWide(weighted) & 62u;
  let root = rootOfNormalised(shiftLeftWide(weighted, zeros));
  let factor = vec4<i32>(bitcast<i32>(divideWide(vec2<u32>(0xffffffffu, 0x3fffffffu), root)));
  let places = 62 - i32(zeros >> 1u) - p.fractionBits;
  for (var turn = 0; turn < row.turns; turn++) {
    let difference = valuesOf(row, turn) * p.channels - vec4<i32>(sum);
    let upper = multiplyHigh(difference, factor);
    var n: vec4<i32>;
    if (places >= 32) {
      n = upper >> vec4<u32>(u32(places - 32));
    } else {
      let lower = bitcast<vec4<u32>>(difference * factor) >> vec4<u32>(u32(places));
      n = (upper << vec4<u32>(u32(32 - places))) | bitcast<vec4<i32>>(lower);
    }
    storeNormalised(row, turn, n);
  }
`

const ADD_SUMS = 'vec3<u32>(addWide(a.xy, b.xy), a.z + b.z)'

// A vec3 of words takes 16 bytes in an array.
export const normalize: readonly GpuKernel[] = rowKernels(
  'normalize',
  [...NORMALIZE_WORDS, 'epsilonLow', 'epsilonHigh', 'fractionBits'],
  4,
  (threads) => `${NORMALIZE}${together(threads, 'sumUp', 'vec3<u32>', ADD_SUMS)}${rowMain(threads, BODY)}`,
)
