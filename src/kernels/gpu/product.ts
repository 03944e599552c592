/**
 * Products of two computed matrices in WGSL (R15) whatever their steps: one thread per four columns of a row, with the whole
 * sum. product-tiled.ts takes those whose codes lie side by side.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { PRODUCT_PLACE, PRODUCT_WORDS } from './product-words.ts'
import { REQUANTIZE } from './requantize.ts'

export const product: GpuKernel = {
  name: 'product__plain',
  families: ['product'],
  level: 'plain',
  words: PRODUCT_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(PRODUCT_WORDS, 'u32')}${CODES}${REQUANTIZE}${THREAD}
  let fours = (p.columns + 3) >> 2u;
  if (index >= p.products * p.rows * fours) { return; }
  let column = (index % fours) * 4;
  let row = (index / fours) % p.rows;
  var rest = index / (fours * p.rows);
  var source = p.leftStart + row * p.leftRow;
  var by = p.rightStart;
  var to = p.outputStart + row * p.outputRow + column;
${PRODUCT_PLACE}  let left = p.left + image * p.leftImage;
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
