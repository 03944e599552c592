/**
 * Product of a few rows with many columns, bound by reading the weights once: a workgroup makes eight columns of `rows` rows.
 * Its threads share the depth, each reads sixteen bytes of every column and multiplies them with all rows; their sums meet in
 * workgroup memory, where they are added in two steps. More rows take more workgroups in y.
 *
 * Weights of four bits lie two to a byte. Word j of a column's sixteen bytes holds words 2j and 2j + 1 of its depth, the first
 * in the high halves of its bytes, so that one mask makes each a byte of sixteen times the weight; the sum is divided by
 * sixteen again, without a remainder.
 */
import { DOT4, DOT16 } from './byte-products.ts'
import { PACK } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { rowReader } from './gemm-rows.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'
import { WRITE_EIGHT } from './write-eight.ts'

/** How weights are stored: signed bytes, signed bytes with an offset per column, or four bits. */
export type GemvWeights = 'bytes' | 'bytes-offset' | 'nibbles'

export interface GemvTile {
  /** Rows times threads is at most 512, which takes 16 KiB of workgroup memory. */
  readonly rows: number
  /** A power of two. */
  readonly threads: number
}

/** Columns of a workgroup: what one write of two words of codes covers. */
const COLUMNS = 8
const MOST_PARTS = 16

const FAMILIES: Readonly<Record<GemvWeights, readonly string[]>> = {
  bytes: ['dense-8', 'dense-16'],
  'bytes-offset': ['dense-offset-8', 'dense-offset-16'],
  nibbles: ['dense4'],
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const lines = (count: number, text: (i: number) => string): string => range(count).map(text).join('\n')

/** One step of a thread: sixteen bytes of each column, which are 16 or 32 weights, times as much of each row. */
function step(weights: GemvWeights, rows: number): string {
  const four = (made: (column: number) => string, first: number): string =>
    `vec4<i32>(${range(4)
      .map((c) => made(first + c))
      .join(', ')})`
  const load = lines(COLUMNS, (c) => `    let w${c} = bitcast<vec4<u32>>(constants[p.weights + column${c} + unit]);`)
  if (weights === 'nibbles')
    return `${load}
${lines(COLUMNS, (c) => `    let high${c} = w${c} & HIGH;\n    let low${c} = (w${c} << vec4<u32>(4u)) & HIGH;`)}
${lines(
  rows,
  (i) => `    {
      let a = fetch(row${i}, 4 * unit);
      let b = fetch(row${i}, 4 * unit + 1);
      let c = fetch(row${i}, 4 * unit + 2);
      let d = fetch(row${i}, 4 * unit + 3);
      let first = vec4<u32>(a.x, b.x, c.x, d.x);
      let second = vec4<u32>(a.y, b.y, c.y, d.y);
${lines(2, (h) => `      sum${i}_${h} += ${four((c) => `dot16(first, high${c}) + dot16(second, low${c})`, 4 * h)};`)}
    }`,
)}`
  const total = weights === 'bytes-offset'
  return `${load}
${total ? '    let mask = bitcast<vec4<u32>>(constants[p.ones + unit]);' : ''}
${lines(
  rows,
  (i) => `    {
      let a = vec4<u32>(fetch(row${i}, 2 * unit), fetch(row${i}, 2 * unit + 1));
${lines(2, (h) => `      sum${i}_${h} += ${four((c) => `dot16(a, w${c})`, 4 * h)};`)}
${total ? `      total${i} += dot16(a, mask);` : ''}
    }`,
)}`
}

/** Serves any number of rows; fast where they are about as many as the tile's. */
export function gemv(level: 'plain' | 'dot4', weights: GemvWeights, { rows, threads }: GemvTile): GpuKernel {
  const slots = 2 * rows
  // Sums of a slot after the first step; each part adds every so-many-th thread's.
  const parts = Math.min(MOST_PARTS, threads / slots)
  const added = (count: number, at: string, step: number): string =>
    range(count)
      .map((i) => `partial[${at}${i === 0 ? '' : ` + ${i * step}u`}]`)
      .join(' + ')
  const total = weights === 'bytes-offset'
  // What a thread's sums are before they meet those of the others.
  const settled = (i: number, h: number): string =>
    weights === 'nibbles'
      ? `sum${i}_${h} >> vec4<u32>(4u)`
      : total
        ? `sum${i}_${h} - constants[p.offsets + 2 * eight + ${h}] * total${i}`
        : `sum${i}_${h}`
  const code = `${bindings(CONVOLUTION_WORDS, 'vec2<u32>')}${PACK}${REQUANTIZE}${FINISH}${WRITE_EIGHT}${DOT4[level]}${DOT16}${rowReader(true, 2)}
const HIGH = vec4<u32>(0xf0f0f0f0u);
var<workgroup> partial: array<vec4<i32>, ${slots * threads}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
  let eight = i32(group.x);
  let firstRow = i32(group.y) * ${rows};
  let units = p.depth >> ${weights === 'nibbles' ? '5u' : '4u'};
${lines(COLUMNS, (c) => `  let column${c} = (${COLUMNS} * eight + ${c}) * units;`)}
${lines(
  rows,
  (i) => `  let row${i} = rowOf(firstRow + ${i});
  var sum${i}_0: vec4<i32>;
  var sum${i}_1: vec4<i32>;${total ? `\n  var total${i} = 0i;` : ''}`,
)}
  for (var unit = i32(t); unit < units; unit += ${threads}) {
${step(weights, rows)}
  }
${lines(rows, (i) => lines(2, (h) => `  partial[${(2 * i + h) * threads}u + t] = ${settled(i, h)};`))}
  workgroupBarrier();
  if (t < ${slots * parts}u) {
    let at = (t / ${parts}u) * ${threads}u + t % ${parts}u;
    partial[at] = ${added(threads / parts, 'at', parts)};
  }
  workgroupBarrier();
  let row = firstRow + i32(t);
  if (t < ${rows}u && row < p.rows) {
    let first = t * ${2 * threads}u;
    let second = first + ${threads}u;
    write8(
      row * (p.columns >> 3u) + eight,
      2 * eight,
      ${added(parts, 'first', 1)},
      ${added(parts, 'second', 1)},
    );
  }
}
`
  const name = { bytes: 'dense', 'bytes-offset': 'dense_offset', nibbles: 'dense4' }[weights]
  return {
    name: `gemv_${name}__${level}_${rows}x${COLUMNS}`,
    families: FAMILIES[weights],
    level,
    words: CONVOLUTION_WORDS,
    tile: [COLUMNS, rows, 1],
    workgroupBytes: slots * threads * 16,
    threads,
    code,
  }
}

const TILES: readonly GemvTile[] = [
  { rows: 8, threads: 64 },
  { rows: 4, threads: 128 },
  { rows: 1, threads: 128 },
]

/** Fastest level first, and in it the most rows. */
export const GEMV_KERNELS: readonly GpuKernel[] = (['dot4', 'plain'] as const).flatMap((level) =>
  (['bytes', 'bytes-offset', 'nibbles'] as const).flatMap((weights) => TILES.map((tile) => gemv(level, weights, tile))),
)
