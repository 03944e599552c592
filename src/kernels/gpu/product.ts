/**
 * Products of two computed matrices in WGSL (R15): one thread per four columns of a row, with the whole sum. Steps count
 * stored elements; up to `MOST_BATCHES` loops run over products of their own.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

export const MOST_BATCHES = 3

const LOOPS = Array.from({ length: MOST_BATCHES }, (_, i) => i)

const WORDS: Words = {
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

export const product: GpuKernel = {
  name: 'product__plain',
  families: ['product'],
  level: 'plain',
  words: WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(WORDS, 'u32')}${CODES}${REQUANTIZE}${THREAD}
  let fours = (p.columns + 3) >> 2u;
  if (index >= p.products * p.rows * fours) { return; }
  let column = (index % fours) * 4;
  let row = (index / fours) % p.rows;
  var rest = index / (fours * p.rows);
  var source = p.leftStart + row * p.leftRow;
  var by = p.rightStart;
  var to = p.outputStart + row * p.outputRow + column;
${LOOPS.toReversed()
  .map(
    (i) => `  let turn${i} = rest % p.count${i};
  rest = rest / p.count${i};
  source += turn${i} * p.leftStep${i};
  by += turn${i} * p.rightStep${i};
  to += turn${i} * p.outputStep${i};
`,
  )
  .join('')}
  let left = p.left + image * p.leftImage;
  let right = p.right + image * p.rightImage;
  // Columns behind the last repeat it: what they make lies in spare lanes.
  let places = min(vec4<i32>(column, column + 1, column + 2, column + 3), vec4<i32>(p.columns - 1)) * p.rightColumn;
  var at = vec4<i32>(by) + places;
  var sum = vec4<i32>();
  for (var k = 0i; k < p.inner; k++) {
    let codes = vec4<i32>(
      load(right, at.x, p.rightSize),
      load(right, at.y, p.rightSize),
      load(right, at.z, p.rightSize),
      load(right, at.w, p.rightSize),
    );
    sum += (codes - vec4<i32>(p.rightZeroPoint)) * (load(left, source, p.leftSize) - p.leftZeroPoint);
    source += p.leftInner;
    at += vec4<i32>(p.rightInner);
  }
  let scaled = requantize(sum << vec4<u32>(u32(p.leftShift)), vec4<i32>(p.multiplier), p.shift);
  let made = clamp(scaled + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
  store4(p.output + image * p.outputImage, to, p.outputSize, made);
}
`,
}
