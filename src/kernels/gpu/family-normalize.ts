/**
 * Normalisation over the channels of each pixel in WGSL as I-ViT and I-BERT compute it (R16). The word `rule` is 0 for
 * `poly`, 1 for `shift`, 2 for `shift-deployment`.
 */
import type { GpuKernel } from './kernel.ts'
import { NORMALIZE, NORMALIZE_WORDS } from './normalize.ts'
import { rowKernels, rowMain, together } from './rows.ts'

const FUNCTIONS = `
const POLYNOMIAL = 0;
const DEPLOYMENT = 2;

// To the nearest integer, ties to the even one; as deployed towards zero.
fn meanOf(sum: i32) -> i32 {
  let channels = u32(p.channels);
  let size = bitcast<u32>(abs(sum));
  var quotient = size / channels;
  let twice = 2u * (size - quotient * channels);
  if (p.rule != DEPLOYMENT && (twice > channels || (twice == channels && (quotient & 1u) == 1u))) { quotient += 1u; }
  return select(i32(quotient), -i32(quotient), sum < 0);
}

// Ten Newton steps from 2^16, and the reciprocal of what they reach. Squares are below 2^47, so that the first quotient fits;
// from then on the root is not below the true one, and no quotient is above it by more than one.
fn shiftFactor(squares: vec2<u32>) -> u32 {
  var limited = squares;
  if (p.rule == DEPLOYMENT && squares.y != 0u) { limited = vec2<u32>(0xffffffffu, 0u); }
  var root = 65536u;
  for (var i = 0; i < 10; i++) { root = (root + divideWide(limited, root)) >> 1u; }
  return 0x7fffffffu / root;
}

// 0 for a row of no variance.
fn polynomialFactor(squares: vec2<u32>) -> u32 {
  if (squares.x == 0u && squares.y == 0u) { return 0u; }
  return (0x80000000u / rootWide(squares)) >> u32(p.squareShift);
}
`

const BODY = `  var mean = 0;
  if (p.centred == 1) {
    var part = vec4<i32>();
    for (var turn = 0; turn < row.turns; turn++) { part += select(vec4<i32>(), valuesOf(row, turn), inside(row, turn)); }
    mean = meanOf(sumUp(thread, part.x + part.y + part.z + part.w));
  }
  var squares = vec2<u32>();
  for (var turn = 0; turn < row.turns; turn++) {
    let y = (valuesOf(row, turn) - vec4<i32>(mean)) >> vec4<u32>(u32(p.squareShift));
    squares = addWide(squares, sumOfSquares(select(vec4<i32>(), y, inside(row, turn))));
  }
  squares = sumUpWide(thread, squares);
  var factor = 0u;
  if (p.rule == POLYNOMIAL) { factor = polynomialFactor(squares); } else { factor = shiftFactor(squares); }
  let odd = vec4<i32>(i32(factor & 1u));
  for (var turn = 0; turn < row.turns; turn++) {
    let y = valuesOf(row, turn) - vec4<i32>(mean);
    // (y * factor) >> 1 without the product; deployment truncates, which differs for odd negative products.
    var n = y * vec4<i32>(i32(factor >> 1u)) + (y >> vec4<u32>(1u)) * odd;
    if (p.rule == DEPLOYMENT) { n += (y & vec4<i32>(1)) * odd * select(vec4<i32>(), vec4<i32>(1), y < vec4<i32>()); }
    storeNormalised(row, turn, n);
  }
`

export const familyNormalize: readonly GpuKernel[] = rowKernels(
  'family-normalize',
  [...NORMALIZE_WORDS, 'rule', 'squareShift'],
  3,
  (threads) =>
    `${NORMALIZE}${FUNCTIONS}${together(threads, 'sumUp', 'i32', 'a + b')}${together(threads, 'sumUpWide', 'vec2<u32>', 'addWide(a, b)')}${rowMain(threads, BODY)}`,
)
