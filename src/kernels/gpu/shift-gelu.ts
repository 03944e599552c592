/** ShiftGELU of I-ViT over the channels of each pixel in WGSL (R18). */
import { SHIFT_EXPONENTIAL, SHIFT_EXPONENTIAL_ABOVE } from './family-exponential.ts'
import type { GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'
import { largestCode, rowKernels, rowMain } from './rows.ts'

const FUNCTIONS = `
fn sigmoid(distance: i32, zero: u32) -> i32 {
  let e = shiftBelow(distance);
  return i32((e * (0x7fffffffu / min(e + zero, 0x7fffffffu))) >> u32(32 - p.bits));
}
`

const BODY = `  let most = largestOf(thread, row);
  let top = most - p.inputZeroPoint;
  var zero = 0u;
  if (top < 0) { zero = shiftAbove(-top); } else { zero = shiftBelow(top); }
  for (var turn = 0; turn < row.turns; turn++) {
    let codes = codesOf(row, turn);
    // Spare lanes hold anything.
    let d = clamp(vec4<i32>(most) - codes, vec4<i32>(), vec4<i32>(65535));
    let sigmoids = vec4<i32>(sigmoid(d.x, zero), sigmoid(d.y, zero), sigmoid(d.z, zero), sigmoid(d.w, zero));
    let products = (codes - vec4<i32>(p.inputZeroPoint)) * sigmoids;
    storeCodes(row, turn, requantize(products, vec4<i32>(p.multiplier), p.shift));
  }
`

export const shiftGelu: readonly GpuKernel[] = rowKernels(
  'shift-gelu',
  ['inputZeroPoint', 'unit', 'places', 'exactHalf', 'bits', 'multiplier', 'shift'],
  1,
  (threads) =>
    `${REQUANTIZE}${SHIFT_EXPONENTIAL}${SHIFT_EXPONENTIAL_ABOVE}${FUNCTIONS}${largestCode(threads)}${rowMain(threads, BODY)}`,
)
