/**
 * Product of matrices with requantisation, [rows][depth] × [columns][depth] of signed bytes, four products to an instruction
 * (`dot4`) or one by one (`plain`). A workgroup makes rows × columns of a tile, a thread `threadRows` × `threadColumns` of it.
 * Both operands pass through workgroup memory in pieces of 16 bytes of depth, which threads multiply as they lie:
 *
 *   [row][4 pieces], and a spare piece behind every four rows, so that eight threads, each four rows from the next, read
 *   from all banks at once.
 *
 * A thread owns runs of four rows and of four columns, a run per tile half or quarter, so that a run of columns is a word of
 * bytes.
 */
import { DOT4, DOT16 } from './byte-products.ts'
import { PACK } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { type LeftOperand, leftName, rowReader } from './gemm-rows.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

/** Pieces of 16 bytes of depth per stage: 64 bytes, what every product's depth is a multiple of. */
const PIECES = 4
/** Pieces of four rows with the spare one. */
const FOUR_ROWS = 4 * PIECES + 1

export interface GemmTile {
  readonly rows: number
  readonly columns: number
  /** Multiples of 4. */
  readonly threadRows: number
  readonly threadColumns: number
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const lines = (count: number, text: (i: number) => string): string => range(count).map(text).join('\n')

/** `words` is the unit of the arena: 4 needs input strides that are multiples of 16 bytes. */
export function tiledGemm(level: 'plain' | 'dot4', operand: LeftOperand, words: 2 | 4, tile: GemmTile): GpuKernel {
  const { dense, offset } = operand
  const { rows, columns, threadRows, threadColumns } = tile
  const across = columns / threadColumns
  const down = rows / threadRows
  const threads = across * down
  const rowsPerPass = threads / PIECES
  const leftPasses = rows / rowsPerPass
  const rightPasses = columns / rowsPerPass
  const runs = range(threadColumns / 4)
  const vector = `vec${words}<u32>`
  const shift = words === 2 ? '1u' : '2u'
  const fetchPiece = (row: string): string =>
    words === 4
      ? `fetch(${row}, (k >> 4u) + piece)`
      : `vec4<u32>(fetch(${row}, (k >> 3u) + 2 * piece), fetch(${row}, (k >> 3u) + 2 * piece + 1))`
  const fetchBoth = `${lines(leftPasses, (q) => `a${q} = ${fetchPiece(`row${q}`)};`)}
${lines(rightPasses, (q) => `b${q} = bitcast<vec4<u32>>(constants[column${q} + (k >> 4u)]);`)}`
  const placeOf = (pass: number): string => `place + ${(pass * rowsPerPass * FOUR_ROWS) / 4}`
  const own = (thread: string, threads: number, i: number): string =>
    `${thread} * ${FOUR_ROWS} + ${(i >> 2) * threads * FOUR_ROWS + (i & 3) * PIECES}`
  const mask = offset ? 'let mask = bitcast<vec4<u32>>(constants[masks + step]);' : ''
  const code = `${bindings(CONVOLUTION_WORDS, vector)}${PACK}${REQUANTIZE}${FINISH}${DOT4[level]}${offset ? DOT16 : ''}${rowReader(dense, words)}
var<workgroup> left: array<vec4<u32>, ${(rows / 4) * FOUR_ROWS}>;
var<workgroup> right: array<vec4<u32>, ${(columns / 4) * FOUR_ROWS}>;

fn word(at: i32) -> u32 {
  return arena[at >> ${shift}][at & ${words - 1}];
}

fn setWord(at: i32, value: u32) {
  arena[at >> ${shift}][at & ${words - 1}] = value;
}

// Four codes of the output from its element 4 · four.
fn write4(four: i32, sums: vec4<i32>, bias: vec4<i32>, multiplier: vec4<i32>) {
  var other = vec4<i32>();
  if (hasResidual != 0) {
    if (outputSize == 0) {
      other = unpackBytes(word(p.residual + four));
    } else {
      other = unpackHalves(word(p.residual + 2 * four), word(p.residual + 2 * four + 1));
    }
  }
  let codes = finishWith(sums, bias, multiplier, other);
  if (outputSize == 0) {
    setWord(p.output + four, packBytes(codes));
  } else if (outputSize == 1) {
    setWord(p.output + 2 * four, packHalves(codes.x, codes.y));
    setWord(p.output + 2 * four + 1, packHalves(codes.z, codes.w));
  } else {
    setWord(p.output + 4 * four, bitcast<u32>(codes.x));
    setWord(p.output + 4 * four + 1, bitcast<u32>(codes.y));
    setWord(p.output + 4 * four + 2, bitcast<u32>(codes.z));
    setWord(p.output + 4 * four + 3, bitcast<u32>(codes.w));
  }
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let t = i32(thread);
  let firstRow = i32(group.y) * ${rows};
  let firstColumn = i32(group.x) * ${columns};
  let line = t / ${across};
  let lane = t % ${across};
  let staged = t / ${PIECES};
  let piece = t % ${PIECES};
  let place = staged * ${PIECES} + staged / 4 + piece;
${lines(leftPasses, (q) => `  let row${q} = rowOf(firstRow + staged + ${q * rowsPerPass});\n  var a${q}: vec4<u32>;`)}
${lines(
  rightPasses,
  (q) =>
    `  let column${q} = p.weights + min(firstColumn + staged + ${q * rowsPerPass}, p.columns - 1) * (p.depth >> 4u) + piece;\n  var b${q}: vec4<u32>;`,
)}
${lines(
  threadRows,
  (i) =>
    `  ${range(threadColumns)
      .map((j) => `var sum${i}_${j} = 0i;`)
      .join(' ')}${offset ? ` var total${i} = 0i;` : ''}`,
)}
  var k = 0i;
  ${fetchBoth}
  loop {
    workgroupBarrier();
${lines(leftPasses, (q) => `    left[${placeOf(q)}] = a${q};`)}
${lines(rightPasses, (q) => `    right[${placeOf(q)}] = b${q};`)}
    workgroupBarrier();
    ${offset ? 'let masks = p.ones + (k >> 4u);' : ''}
    k += ${PIECES * 16};
    let more = k < p.depth;
    // What the next stage takes is on its way while this one is multiplied.
    if (more) {
      ${fetchBoth}
    }
    for (var step = 0i; step < ${PIECES}; step++) {
      ${mask}
${lines(
  threadRows,
  (i) =>
    `      let x${i} = left[${own('line', down, i)} + step];${offset ? `\n      total${i} += dot16(x${i}, mask);` : ''}`,
)}
${lines(
  threadColumns,
  (j) => `      {
        let y = right[${own('lane', across, j)} + step];
${['x', 'y', 'z', 'w']
  .map((c) => lines(threadRows, (i) => `        sum${i}_${j} += dot4(x${i}.${c}, y.${c});`))
  .join('\n')}
      }`,
)}
    }
    if (!more) { break; }
  }
  let fours = p.columns >> 2u;
${runs
  .map(
    (c) => `  let four${c} = (firstColumn >> 2u) + lane + ${c * across};
  let bias${c} = constants[p.bias + min(four${c}, fours - 1)];
  let multiplier${c} = constants[p.multipliers + min(four${c}, fours - 1)];${
    offset ? `\n  let offset${c} = constants[p.offsets + min(four${c}, fours - 1)];` : ''
  }`,
  )
  .join('\n')}
${lines(
  threadRows,
  (i) => `  {
    let row = firstRow + line * 4 + ${(i >> 2) * down * 4 + (i & 3)};
    if (row < p.rows) {
${runs
  .map((c) => {
    const sums = `vec4<i32>(${range(4)
      .map((e) => `sum${i}_${4 * c + e}`)
      .join(', ')})${offset ? ` - offset${c} * total${i}` : ''}`
    return `      if (four${c} < fours) { write4(row * fours + four${c}, ${sums}, bias${c}, multiplier${c}); }`
  })
  .join('\n')}
    }
  }`,
)}
}
`
  const name = leftName(operand)
  return {
    name: `gemm_${name.replace('-', '_')}${4 * words}__${level}_${rows}x${columns}`,
    families: [`${name}-${4 * words}`],
    level,
    words: CONVOLUTION_WORDS,
    tile: [columns, rows, 1],
    workgroupBytes: (rows / 4 + columns / 4) * FOUR_ROWS * 16,
    threads,
    code,
  }
}
