/**
 * Convolutions and dense layers of 16-bit inputs by tiles: [rows][depth] of codes split into two planes of bytes (code-planes.ts)
 * × [columns][depth] of signed bytes. `inputStride` counts bytes, `depth` codes; biases hold the share of the zero points less
 * 128. Weights with offsets take the sums of the rows, which come from what a thread stages.
 */
import { byteProducts, PLANES } from './code-planes.ts'
import { PACK } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { type LeftOperand, leftName, rowReader } from './gemm-rows.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'
import {
  declareSums,
  declareTile,
  multiplyTile,
  placeOf,
  range,
  type StagedTile,
  stepPitch,
  sumOf,
  THREAD_ROWS,
  tileBytes,
  tileThreads,
} from './staged-tile.ts'
import { WRITE_EIGHT } from './write-eight.ts'

/** Words of depth per stage; packed rows of weights are multiples of it. */
const STEPS = 8
/** Vectors of 16 bytes of a row of weights per stage. */
const RIGHT_UNITS = STEPS / 4

/** The family of tiled convolutions with such a left operand of 16 bits. */
export function wideFamily(operand: LeftOperand): string {
  return `wide-${leftName(operand)}`
}

export function wideGemm(
  level: 'plain' | 'dot4',
  operand: LeftOperand,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): GpuKernel {
  const { dense, offset } = operand
  const tile: StagedTile = { rows, columns, steps: STEPS, leftPlanes: 2, rightPlanes: 1 }
  const threads = tileThreads(tile)
  const lanes = columns / 8
  // An item is four rows by one unit of four codes on the left, four rows by a vector of 16 bytes on the right.
  const leftItems = (rows / 4) * STEPS
  const rightItems = (columns / 4) * RIGHT_UNITS
  const leftLoads = range(Math.ceil(leftItems / threads))
  const rightLoads = range(Math.ceil(rightItems / threads))
  const guard = (items: number, index: string, text: string): string =>
    items % threads === 0 ? text : `if (${index} < ${items}) {\n${text}\n}`
  const declareLeft = (q: number): string => `  let leftItem${q} = t + ${q * threads};
  let leftFour${q} = (leftItem${q} / 4) % ${rows / 4};
  let leftUnit${q} = leftItem${q} % 4 + 4 * (leftItem${q} / ${rows});
${range(4)
  .map((i) => `  let row${q}_${i} = rowOf(firstRow + 4 * leftFour${q} + ${i});\n  var a${q}_${i}: vec2<u32>;`)
  .join('\n')}${offset ? `\n  var total${q}: vec4<i32>;` : ''}`
  const declareRight = (q: number): string => `  let rightItem${q} = t + ${q * threads};
  let rightFour${q} = (rightItem${q} / ${RIGHT_UNITS}) % ${columns / 4};
  let rightUnit${q} = rightItem${q} % ${RIGHT_UNITS};
${range(4)
  .map(
    (i) =>
      `  let column${q}_${i} = p.weights + min(firstColumn + 4 * rightFour${q} + ${i}, p.columns - 1) * (p.depth >> 4u) + rightUnit${q};\n  var b${q}_${i}: vec4<u32>;`,
  )
  .join('\n')}`
  const fetchLeft = (q: number): string =>
    range(4)
      .map((i) => `a${q}_${i} = fetch(row${q}_${i}, (k >> 2u) + leftUnit${q});`)
      .join('\n')
  const fetchRight = (q: number): string =>
    range(4)
      .map((i) => `b${q}_${i} = bitcast<vec4<u32>>(constants[column${q}_${i} + (k >> 4u)]);`)
      .join('\n')
  const putLeft = (q: number): string => `{
let codes0 = vec4<u32>(${range(4)
    .map((i) => `low(a${q}_${i})`)
    .join(', ')});
let codes1 = vec4<u32>(${range(4)
    .map((i) => `high(a${q}_${i})`)
    .join(', ')});
left_0[leftUnit${q} * ${stepPitch(rows)} + leftFour${q}] = codes0;
left_1[leftUnit${q} * ${stepPitch(rows)} + leftFour${q}] = codes1;
${
  offset
    ? `let mask = bitcast<u32>(constants[p.ones + (k >> 4u) + (leftUnit${q} >> 2u)][leftUnit${q} & 3]);
total${q} += products(mask, codes0) + (products(mask, codes1) << vec4<u32>(8u));`
    : ''
}
}`
  const putRight = (q: number): string =>
    range(4)
      .map(
        (i) =>
          `right_0[(4 * rightUnit${q} + ${i}) * ${stepPitch(columns)} + ${placeOf('right', `rightFour${q}`, tile)}] = vec4<u32>(${range(
            4,
          )
            .map((line) => `b${q}_${line}.${'xyzw'[i]}`)
            .join(', ')});`,
      )
      .join('\n')
  const total = (q: number): string =>
    range(4)
      .map((i) => `atomicAdd(&totals[4 * leftFour${q} + ${i}], total${q}.${'xyzw'[i]});`)
      .join('\n')
  const left = (text: (q: number) => string): string =>
    leftLoads.map((q) => guard(leftItems, `leftItem${q}`, text(q))).join('\n')
  const right = (text: (q: number) => string): string =>
    rightLoads.map((q) => guard(rightItems, `rightItem${q}`, text(q))).join('\n')
  const code = `${bindings(CONVOLUTION_WORDS, 'vec2<u32>')}${PACK}${REQUANTIZE}${FINISH}${WRITE_EIGHT}${PLANES}${byteProducts(level)}${rowReader(dense, 2)}
${declareTile(tile)}
${offset ? `var<workgroup> totals: array<atomic<i32>, ${rows}>;` : ''}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let t = i32(thread);
  let line = t / ${lanes};
  let lane = t % ${lanes};
  let firstRow = i32(group.y) * ${rows};
  let firstColumn = i32(group.x) * ${columns};
${leftLoads.map(declareLeft).join('\n')}
${rightLoads.map(declareRight).join('\n')}
${declareSums(tile)}
  var k = 0i;
${left(fetchLeft)}
${right(fetchRight)}
  loop {
    workgroupBarrier();
${left(putLeft)}
${right(putRight)}
    workgroupBarrier();
    k += ${4 * STEPS};
    let more = k < p.depth;
    // What the next stage takes is on its way while this one is multiplied.
    if (more) {
${left(fetchLeft)}
${right(fetchRight)}
    }
${multiplyTile(tile)}
    if (!more) { break; }
  }
${offset ? `${left(total)}\n  workgroupBarrier();` : ''}
  let eight = (firstColumn >> 3u) + lane;
  let eights = p.columns >> 3u;
  if (eight >= eights) { return; }
${
  offset
    ? `  let offset0 = constants[p.offsets + 2 * eight];
  let offset1 = constants[p.offsets + 2 * eight + 1];`
    : ''
}
${range(THREAD_ROWS)
  .map((i) => {
    const share = (half: number): string => (offset ? ` - offset${half} * total` : '')
    return `  {
    let row = firstRow + line * ${THREAD_ROWS} + ${i};
    if (row < p.rows) {
      ${offset ? `let total = vec4<i32>(atomicLoad(&totals[line * ${THREAD_ROWS} + ${i}]));` : ''}
      write8(row * eights + eight, 2 * eight, ${sumOf(tile, i, 0)}${share(0)}, ${sumOf(tile, i, 1)}${share(1)});
    }
  }`
  })
  .join('\n')}
}
`
  const family = wideFamily(operand)
  return {
    name: `gemm_${family.replaceAll('-', '_')}__${level}_${rows}x${columns}`,
    families: [family],
    level,
    words: CONVOLUTION_WORDS,
    tile: [columns, rows, 1],
    workgroupBytes: tileBytes(tile) + (offset ? 4 * rows : 0),
    threads,
    code,
  }
}
