/** Softmax over the channels of each pixel in WGSL (R13). Tables are words, 256 each. */
import type { GpuKernel } from './kernel.ts'
import { largestCode, rowKernels, rowMain, together } from './rows.ts'
import { WIDE } from './wide.ts'

const FUNCTIONS = `
// Spare lanes hold anything; the tables end at 65,535.
fn exponentials(differences: vec4<i32>) -> vec4<i32> {
  let d = clamp(differences, vec4<i32>(), vec4<i32>(65535));
  let low = (d & vec4<i32>(255)) + vec4<i32>(4 * p.fine);
  let fine = vec4<i32>(constant(low.x), constant(low.y), constant(low.z), constant(low.w));
  // The first entry of the other table is 2^15, and codes of 8 bits meet no other.
  if (p.inputSize == 0) { return fine; }
  let high = (d >> vec4<u32>(8u)) + vec4<i32>(4 * p.coarse);
  let coarse = vec4<i32>(constant(high.x), constant(high.y), constant(high.z), constant(high.w));
  return (coarse * fine + vec4<i32>(0x4000)) >> vec4<u32>(15u);
}

// (e * share + 2^30) >> 31 on the two halves of share; each step fits 32 bits.
fn scaleShares(e: vec4<u32>, share: u32) -> vec4<i32> {
  let low = (e * vec4<u32>(share & 0xffffu) + vec4<u32>(0x40000000u)) >> vec4<u32>(16u);
  return bitcast<vec4<i32>>((e * vec4<u32>(share >> 16u) + low) >> vec4<u32>(15u));
}
`

const BODY = `  let most = vec4<i32>(largestOf(thread, row));
  var part = vec4<i32>();
  for (var turn = 0; turn < row.turns; turn++) {
    let e = exponentials(most - codesOf(row, turn));
    keep(turn, e);
    part += select(vec4<i32>(), e, inside(row, turn));
  }
  let sum = sumUp(thread, u32(part.x) + u32(part.y) + u32(part.z) + u32(part.w));
  let one = u32(p.one);
  let share = divideWide(vec2<u32>(one << 31u, one >> 1u), sum);
  for (var turn = 0; turn < row.turns; turn++) {
    var e = codesOf(row, turn);
    if (turn > 1) { e = exponentials(most - e); }
    storeCodes(row, turn, scaleShares(bitcast<vec4<u32>>(e), share));
  }
`

export const softmax: readonly GpuKernel[] = rowKernels(
  'softmax',
  ['coarse', 'fine', 'one'],
  2,
  (threads) =>
    `${WIDE}${FUNCTIONS}${largestCode(threads)}${together(threads, 'sumUp', 'u32', 'a + b')}${rowMain(threads, BODY)}`,
)
