/**
 * Softmax over the channels of each pixel in WGSL as I-ViT and I-BERT compute it (R17). The word `kind` says where exponentials
 * come from: 0 a table of 256 words for codes of 8 bits, 1 shifts, 2 a parabola. `shifts` is 1 where the family is I-ViT's.
 */
import { PARABOLA_EXPONENTIAL, SHIFT_EXPONENTIAL } from './family-exponential.ts'
import type { GpuKernel } from './kernel.ts'
import { largestCode, rowKernels, rowMain, together } from './rows.ts'
import { WIDE } from './wide.ts'

const FUNCTIONS = `
fn exponential(distance: i32) -> u32 {
  if (p.kind == 0) { return bitcast<u32>(constant(4 * p.table + distance)); }
  if (p.kind == 1) { return shiftBelow(distance); }
  return parabolaBelow(distance);
}

// Spare lanes hold anything.
fn exponentials(differences: vec4<i32>) -> vec4<u32> {
  let d = clamp(differences, vec4<i32>(), vec4<i32>(select(65535, 255, p.kind == 0)));
  return vec4<u32>(exponential(d.x), exponential(d.y), exponential(d.z), exponential(d.w));
}

// Of terms up to 2^31 - 1, limited there: in any order the same. Sums of the parabola never come so far.
fn limitedSum(a: u32, b: u32) -> u32 {
  return min(a + b, 0x7fffffffu);
}

fn reciprocal(sum: u32) -> u32 {
  if (p.shifts == 1) { return 0x7fffffffu / sum; }
  let quotient = 0xffffffffu / sum;
  return quotient + select(0u, 1u, 0xffffffffu - quotient * sum == sum - 1u);
}
`

const BODY = `  let most = vec4<i32>(largestOf(thread, row));
  var part = 0u;
  for (var turn = 0; turn < row.turns; turn++) {
    let made = exponentials(most - codesOf(row, turn));
    keep(turn, bitcast<vec4<i32>>(made));
    let e = select(vec4<u32>(), made, inside(row, turn));
    part = limitedSum(part, limitedSum(limitedSum(e.x, e.y), limitedSum(e.z, e.w)));
  }
  let factor = reciprocal(sumUp(thread, part));
  for (var turn = 0; turn < row.turns; turn++) {
    let kept = codesOf(row, turn);
    var e = bitcast<vec4<u32>>(kept);
    if (turn > 1) { e = exponentials(most - kept); }
    storeCodes(row, turn, bitcast<vec4<i32>>((e * vec4<u32>(factor)) >> vec4<u32>(u32(32 - p.bits))));
  }
`

export const familySoftmax: readonly GpuKernel[] = rowKernels(
  'family-softmax',
  ['kind', 'shifts', 'table', 'bits', 'unit', 'places', 'exactHalf', 'linear', 'constantTerm', 'multiplier'].concat([
    'multiplierShift',
  ]),
  2,
  (threads) =>
    `${WIDE}${SHIFT_EXPONENTIAL}${PARABOLA_EXPONENTIAL}${FUNCTIONS}${largestCode(threads)}${together(threads, 'sumUp', 'u32', 'limitedSum(a, b)')}${rowMain(threads, BODY)}`,
)
