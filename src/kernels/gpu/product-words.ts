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
