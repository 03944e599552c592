/**
 * Product of matrices with requantisation, [rows][depth] × [columns][depth] of signed bytes, four products to an instruction
 * (`dot4`) or one by one (`plain`). A workgroup makes rows × columns of a tile, a thread `threadRows` × 8 of it:
 *
 *            columns: threads of one line own 8 each, read as two vectors of four words
 *   rows     depth in steps of 16 words, both operands transposed in workgroup memory: [step][row / 4], [step][column / 4]
 *
 * Vectors of columns lie even ones first, so that neighbouring threads read neighbouring vectors; a spare vector per step
 * spreads the transposing writes over the banks.
 */
import { PACK } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { type LeftOperand, leftName, rowReader } from './gemm-rows.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

/** Words of depth per stage. */
const STEPS = 16

const PRODUCTS = {
  dot4: `
fn dot4(a: u32, b: u32) -> i32 {
  return dot4I8Packed(a, b);
}
`,
  plain: `
fn dot4(a: u32, b: u32) -> i32 {
  let products = unpackBytes(a) * unpackBytes(b);
  return products.x + products.y + products.z + products.w;
}
`,
}

export interface GemmTile {
  readonly rows: number
  readonly columns: number
  /** 4 or 8. */
  readonly threadRows: number
  readonly ahead?: boolean
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

export function tiledGemm(level: 'plain' | 'dot4', operand: LeftOperand, tile: GemmTile): GpuKernel {
  const { dense, offset } = operand
  const { rows, columns, threadRows, ahead = true } = tile
  const lanes = columns / 8
  const threads = (rows / threadRows) * lanes
  const leftStep = rows / 4 + 1
  const rightStep = columns / 4 + 1
  // An item is four rows by two words on the left, four rows by four words on the right.
  const leftItems = (rows / 4) * (STEPS / 2)
  const rightItems = (columns / 4) * (STEPS / 4)
  const leftLoads = Math.ceil(leftItems / threads)
  const rightLoads = Math.ceil(rightItems / threads)
  const guard = (items: number, index: string, text: string): string =>
    items % threads === 0 ? text : `if (${index} < ${items}) {${text}}`
  const vectors = threadRows / 4
  const fetchLeft = range(leftLoads)
    .map((q) =>
      guard(
        leftItems,
        `leftItem${q}`,
        range(4)
          .map((i) => `a${q}_${i} = fetch(row${q}_${i}, (k >> 3u) + leftUnit${q});`)
          .join('\n'),
      ),
    )
    .join('\n')
  const fetchRight = range(rightLoads)
    .map((q) =>
      guard(
        rightItems,
        `rightItem${q}`,
        range(4)
          .map((i) => `b${q}_${i} = bitcast<vec4<u32>>(constants[column${q}_${i} + (k >> 4u)]);`)
          .join('\n'),
      ),
    )
    .join('\n')
  const code = `${bindings(CONVOLUTION_WORDS, 'vec2<u32>')}${PACK}${REQUANTIZE}${FINISH}${PRODUCTS[level]}${rowReader(dense, 2)}
var<workgroup> left: array<vec4<u32>, ${STEPS * leftStep}>;
var<workgroup> right: array<vec4<u32>, ${STEPS * rightStep}>;

fn products(a: u32, b: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4(a, b.x), dot4(a, b.y), dot4(a, b.z), dot4(a, b.w));
}

fn write8(unit: i32, four: i32, first: vec4<i32>, second: vec4<i32>) {
  var before = vec4<i32>();
  var after = vec4<i32>();
  if (p.hasResidual != 0) {
    let origin = p.residual >> 1u;
    if (p.outputSize == 0) {
      let codes = arena[origin + unit];
      before = unpackBytes(codes.x);
      after = unpackBytes(codes.y);
    } else {
      let low = arena[origin + 2 * unit];
      let high = arena[origin + 2 * unit + 1];
      before = unpackHalves(low.x, low.y);
      after = unpackHalves(high.x, high.y);
    }
  }
  let a = finish(first, four, before);
  let b = finish(second, four + 1, after);
  let to = p.output >> 1u;
  if (p.outputSize == 0) {
    arena[to + unit] = vec2<u32>(packBytes(a), packBytes(b));
  } else if (p.outputSize == 1) {
    arena[to + 2 * unit] = vec2<u32>(packHalves(a.x, a.y), packHalves(a.z, a.w));
    arena[to + 2 * unit + 1] = vec2<u32>(packHalves(b.x, b.y), packHalves(b.z, b.w));
  } else {
    arena[to + 4 * unit] = bitcast<vec2<u32>>(a.xy);
    arena[to + 4 * unit + 1] = bitcast<vec2<u32>>(a.zw);
    arena[to + 4 * unit + 2] = bitcast<vec2<u32>>(b.xy);
    arena[to + 4 * unit + 3] = bitcast<vec2<u32>>(b.zw);
  }
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let t = i32(thread);
  let firstRow = i32(group.y) * ${rows};
  let firstColumn = i32(group.x) * ${columns};
  let line = t / ${lanes};
  let lane = t % ${lanes};
${range(leftLoads)
  .map(
    (q) => `  let leftItem${q} = t + ${q * threads};
  let leftFour${q} = (leftItem${q} / 4) % ${rows / 4};
  let leftUnit${q} = leftItem${q} % 4 + 4 * (leftItem${q} / ${rows});
${range(4)
  .map((i) => `  let row${q}_${i} = rowOf(firstRow + 4 * leftFour${q} + ${i});\n  var a${q}_${i}: vec2<u32>;`)
  .join('\n')}`,
  )
  .join('\n')}
${range(rightLoads)
  .map(
    (q) => `  let rightItem${q} = t + ${q * threads};
  let rightFour${q} = (rightItem${q} / 4) % ${columns / 4};
  let rightPlace${q} = (rightFour${q} >> 1u) + (rightFour${q} & 1) * ${columns / 8};
  let rightUnit${q} = rightItem${q} % 4;
${range(4)
  .map(
    (i) =>
      `  let column${q}_${i} = p.weights + min(firstColumn + 4 * rightFour${q} + ${i}, p.columns - 1) * (p.depth >> 4u) + rightUnit${q};\n  var b${q}_${i}: vec4<u32>;`,
  )
  .join('\n')}`,
  )
  .join('\n')}
${range(threadRows)
  .map((i) => `  var sum${i}_0: vec4<i32>;\n  var sum${i}_1: vec4<i32>;`)
  .join('\n')}
${
  offset
    ? range(threadRows)
        .map((i) => `  var total${i} = 0i;`)
        .join('\n')
    : ''
}
  var k = 0i;
  ${ahead ? fetchLeft : ''}
  ${ahead ? fetchRight : ''}
  loop {
    ${ahead ? '' : fetchLeft}
    ${ahead ? '' : fetchRight}
    workgroupBarrier();
${range(leftLoads)
  .map((q) =>
    guard(
      leftItems,
      `leftItem${q}`,
      ['x', 'y']
        .map(
          (c, i) =>
            `    left[(2 * leftUnit${q} + ${i}) * ${leftStep} + leftFour${q}] = vec4<u32>(a${q}_0.${c}, a${q}_1.${c}, a${q}_2.${c}, a${q}_3.${c});`,
        )
        .join('\n'),
    ),
  )
  .join('\n')}
${range(rightLoads)
  .map((q) =>
    guard(
      rightItems,
      `rightItem${q}`,
      ['x', 'y', 'z', 'w']
        .map(
          (c, i) =>
            `    right[(4 * rightUnit${q} + ${i}) * ${rightStep} + rightPlace${q}] = vec4<u32>(b${q}_0.${c}, b${q}_1.${c}, b${q}_2.${c}, b${q}_3.${c});`,
        )
        .join('\n'),
    ),
  )
  .join('\n')}
    workgroupBarrier();
    let masks = p.ones + (k >> 4u);
    k += ${STEPS * 4};
    let more = k < p.depth;
    // What the next stage takes is on its way while this one is multiplied.
    if (more) {
      ${ahead ? fetchLeft : ''}
      ${ahead ? fetchRight : ''}
    }
    for (var step = 0i; step < ${STEPS}; step++) {
${range(vectors)
  .map((v) => `      let a${v} = left[step * ${leftStep} + line * ${vectors} + ${v}];`)
  .join('\n')}
      let b0 = right[step * ${rightStep} + lane];
      let b1 = right[step * ${rightStep} + ${columns / 8} + lane];
${offset ? '      let mask = bitcast<u32>(constants[masks + (step >> 2u)][step & 3]);' : ''}
${range(threadRows)
  .map((i) => {
    const a = `a${i >> 2}.${'xyzw'[i & 3]}`
    const total = offset ? `\n      total${i} += dot4(${a}, mask);` : ''
    return `      sum${i}_0 += products(${a}, b0);\n      sum${i}_1 += products(${a}, b1);${total}`
  })
  .join('\n')}
    }
    if (!more) { break; }
  }
  let eight = (firstColumn >> 3u) + lane;
  let eights = p.columns >> 3u;
  if (eight >= eights) { return; }
${
  offset
    ? `  let offset0 = constants[p.offsets + 2 * eight];
  let offset1 = constants[p.offsets + 2 * eight + 1];`
    : ''
}
${range(threadRows)
  .map(
    (i) => `  {
    let row = firstRow + line * ${threadRows} + ${i};
    if (row < p.rows) {
      write8(row * eights + eight, 2 * eight, sum${i}_0${offset ? ` - offset0 * total${i}` : ''}, sum${i}_1${offset ? ` - offset1 * total${i}` : ''});
    }
  }`,
  )
  .join('\n')}
}
`
  const name = leftName(operand)
  return {
    name: `gemm_${name.replace('-', '_')}__${level}_${rows}x${columns}`,
    families: [`${name}-8`, `${name}-16`],
    level,
    words: CONVOLUTION_WORDS,
    tile: [columns, rows, 1],
    workgroupBytes: STEPS * (leftStep + rightStep) * 16,
    threads,
    code,
  }
}
