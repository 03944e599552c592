/** The words that all products of two computed matrices take (R15), and how they find the product of their own. */
import type { Words } from './kernel.ts'

/** Loops over products of their own that a dispatch has room for. */
export const MOST_BATCHES = 3

const LOOPS = Array.from({ length: MOST_BATCHES }, (_, i) => i)

/** Starts and steps count stored elements. */
export const PRODUCT_WORDS: Words = {
  scaled: ['left', 'right', 'output'],
  fixed: [
    'leftImage',
    'rightImage',
    'outputImage',
    'leftSize',
    'rightSize',
    'outputSize',
    'leftStart',
    'rightStart',
    'outputStart',
    'products',
    'rows',
    'inner',
    'columns',
    'leftRow',
    'leftInner',
    'rightInner',
    'rightColumn',
    'outputRow',
    'leftZeroPoint',
    'rightZeroPoint',
    'multiplier',
    'shift',
    'leftShift',
    'outputZeroPoint',
    'low',
    'high',
    ...LOOPS.flatMap((i) => [`count${i}`, `leftStep${i}`, `rightStep${i}`, `outputStep${i}`]),
  ],
}

/** Adds the steps of product number `rest` to the elements `source`, `by` and `to` of both operands and the output. */
export const PRODUCT_PLACE = LOOPS.toReversed()
  .map(
    (i) => `  let turn${i} = rest % p.count${i};
  rest = rest / p.count${i};
  source += turn${i} * p.leftStep${i};
  by += turn${i} * p.rightStep${i};
  to += turn${i} * p.outputStep${i};
`,
  )
  .join('')

/**
 * The sums of single lines of both operands in workgroup memory, `rightTotal(column)` of four columns, and `finish(sum)`, which
 * makes codes of sums. Needs REQUANTIZE.
 */
export function productTotals(rows: number, columns: number): string {
  return `var<workgroup> leftTotals: array<atomic<i32>, ${rows}>;
var<workgroup> rightTotals: array<atomic<i32>, ${columns}>;

fn finish(sum: vec4<i32>) -> vec4<i32> {
  let scaled = requantize(sum << vec4<u32>(u32(p.leftShift)), vec4<i32>(p.multiplier), p.shift);
  return clamp(scaled + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
}

fn rightTotal(column: i32) -> vec4<i32> {
  return vec4<i32>(
    atomicLoad(&rightTotals[column]),
    atomicLoad(&rightTotals[column + 1]),
    atomicLoad(&rightTotals[column + 2]),
    atomicLoad(&rightTotals[column + 3]),
  );
}
`
}
