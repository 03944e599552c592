/**
 * Product of matrices with requantisation on subgroup matrices of 16 × 16 × 32 signed bytes with 32-bit sums. A workgroup of
 * 2 × 2 subgroups of 32 threads stages 64 bytes of depth of both operands in workgroup memory, rows padded by 16 bytes, in
 * four pieces, one per half of an operand; each subgroup holds `side` × `side` matrices of sums:
 *
 *              piece 2   piece 3      right [column][64 bytes], read as columns
 *   piece 0    s00 s01 | …            left [row][64 bytes], row by row
 *   piece 1    s10 s11 | …
 *
 * Pieces are arrays of their own so that matrices load from constant offsets, and indices are sums of local invocation ids:
 * a compiler that checks bounds can prove both and checks nothing. The first dimension is a subgroup, as WGSL demands. While a stage is multiplied the next one is on its way.
 * Sums leave 16 lines at a time through the pieces, since only there a thread knows which channel it has.
 */
import { PACK } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { type LeftOperand, leftName, rowReader } from './gemm-rows.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

/** Bytes of depth per stage, and words of a staged row with its padding. */
const DEPTH = 64
const ROW = (DEPTH + 16) / 4
/** Threads of a subgroup, and of a workgroup. */
const SUBGROUP = 32
const THREADS = 4 * SUBGROUP
/** Words from one line of sums to the next, so that eight threads read from all banks at once. */
const LINE = 20
const PITCH = 16 * LINE

export interface MatrixTile {
  /** Matrices of sums along each side of a subgroup's square: 1, 2 or 4. */
  readonly side: 1 | 2 | 4
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** `words` is the unit of the arena: 4 needs input and output strides that are multiples of 16. */
export function matrixGemm(left: LeftOperand, words: 2 | 4, { side }: MatrixTile): GpuKernel {
  const { dense, offset } = left
  const size = 2 * side * 16
  const half = side * 16
  const unit = 4 * words
  const unitsPerRow = DEPTH / unit
  const rowsPerPass = THREADS / unitsPerRow
  const piece = Math.max(half * ROW, side * PITCH)
  const vector = `vec${words}<u32>`
  const fours = range(words)

  /**
   * Stores a thread's unit of row `group · (32 / units) + lane / units + pass · step` of an operand, unit `lane % units`, without
   * a remainder in the address.
   */
  const put = (first: number, units: number, pass: number, name: string): string => {
    const step = THREADS / units
    const count = DEPTH / units / 4
    const rowBase = `quarter * ${SUBGROUP / units}`
    const inRow = `lane * ${count} + lane / ${units} * ${ROW - units * count}`
    const [at, row] =
      step <= half
        ? [`${first + Math.floor((pass * step) / half)}`, `(${rowBase} + ${(pass * step) % half})`]
        : [
            `${first} + quarter / ${half / (SUBGROUP / units)}`,
            `(quarter % ${half / (SUBGROUP / units)}) * ${SUBGROUP / units}`,
          ]
    return range(count)
      .map((i) => `stage[${at}][${row} * ${ROW} + ${inRow} + ${i}] = bitcast<i32>(${name}.${'xyzw'[i]});`)
      .join(' ')
  }
  const leftPasses = size / rowsPerPass
  const rightPasses = size / 32

  const unitsPerLine = half / unit
  const linesPerPass = Math.min(16, SUBGROUP / unitsPerLine)
  const passes = 16 / linesPerPass
  const spare = linesPerPass * unitsPerLine < SUBGROUP
  const inMatrix = 16 / unit
  const halves = (name: string): string => `packHalves(${name}.x, ${name}.y), packHalves(${name}.z, ${name}.w)`

  const fetchLeft = range(leftPasses)
    .map((q) => `a${q} = fetch(row${q}, k / ${unit} + leftUnit);`)
    .join('\n')
  const fetchRight = range(rightPasses)
    .map((q) => `b${q} = constants[column${q} + (k >> 4u)];`)
    .join('\n')
  const mask =
    words === 4
      ? 'let mask = bitcast<vec4<u32>>(constants[p.ones + (k >> 4u) + leftUnit]);'
      : 'let masks = bitcast<vec4<u32>>(constants[p.ones + (k >> 4u) + leftUnit / 2]);\nlet mask = select(masks.xy, masks.zw, (leftUnit & 1) == 1);'
  const addRows = offset
    ? `${mask}
${range(leftPasses)
  .map((q) => `total${q} += ${fours.map((i) => `dot4I8Packed(a${q}.${'xyzw'[i]}, mask.${'xyzw'[i]})`).join(' + ')};`)
  .join('\n')}`
    : ''
  const code = `enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
${bindings(CONVOLUTION_WORDS, vector)}${PACK}${REQUANTIZE}${FINISH}${rowReader(dense, words)}
var<workgroup> stage: array<array<i32, ${piece}>, 4>;
${offset ? `var<workgroup> totals: array<array<i32, ${unitsPerRow}>, ${size}>;` : ''}

fn store(unit: i32, ${fours.map((i) => `v${i}: vec4<i32>`).join(', ')}) {
  let to = p.output >> ${words === 2 ? '1u' : '2u'};
  if (outputSize == 0) {
    arena[to + unit] = ${vector}(${fours.map((i) => `packBytes(v${i})`).join(', ')});
  } else if (outputSize == 1) {
${range(2)
  .map(
    (h) =>
      `    arena[to + 2 * unit + ${h}] = ${vector}(${fours
        .filter((i) => 2 * i < words === (h === 0))
        .map((i) => halves(`v${i}`))
        .join(', ')});`,
  )
  .join('\n')}
  } else {
${fours
  .flatMap((i) =>
    words === 4
      ? [`    arena[to + 4 * unit + ${i}] = bitcast<vec4<u32>>(v${i});`]
      : [
          `    arena[to + 4 * unit + ${2 * i}] = bitcast<vec2<u32>>(v${i}.xy);`,
          `    arena[to + 4 * unit + ${2 * i + 1}] = bitcast<vec2<u32>>(v${i}.zw);`,
        ],
  )
  .join('\n')}
  }
}

@compute @workgroup_size(${SUBGROUP}, 4)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(subgroup_id) subgroup: u32,
) {
  let lane = i32(local.x);
  let quarter = i32(local.y);
  let firstRow = i32(group.y) * ${size};
  let firstColumn = i32(group.x) * ${size};
  let leftPiece = subgroup / 2u;
  let rightPiece = 2u + subgroup % 2u;
  let leftRow = quarter * ${SUBGROUP / unitsPerRow} + lane / ${unitsPerRow};
  let leftUnit = lane % ${unitsPerRow};
  let rightRow = firstColumn + quarter * 8 + lane / 4;
${range(leftPasses)
  .map((q) => `  let row${q} = rowOf(firstRow + leftRow + ${q * rowsPerPass});\n  var a${q}: ${vector};`)
  .join('\n')}
${range(rightPasses)
  .map(
    (q) => `  let column${q} = p.weights + min(rightRow + ${q * 32}, p.columns - 1) * (p.depth >> 4u) + lane % 4;
  var b${q}: vec4<i32>;`,
  )
  .join('\n')}
${
  offset
    ? range(leftPasses)
        .map((q) => `  var total${q} = 0i;`)
        .join('\n')
    : ''
}
${range(side)
  .flatMap((i) => range(side).map((j) => `  var sum${i}_${j}: subgroup_matrix_result<i32, 16, 16>;`))
  .join('\n')}
  var k = 0i;
  ${fetchLeft}
  ${fetchRight}
  loop {
    ${addRows}
    workgroupBarrier();
${range(leftPasses)
  .map((q) => `    ${put(0, unitsPerRow, q, `a${q}`)}`)
  .join('\n')}
${range(rightPasses)
  .map((q) => `    ${put(2, 4, q, `b${q}`)}`)
  .join('\n')}
    workgroupBarrier();
    k += ${DEPTH};
    let more = k < p.depth;
    if (more) {
      ${fetchLeft}
      ${fetchRight}
    }
${range(DEPTH / 32)
  .map(
    (s) => `${range(side)
      .map(
        (j) =>
          `    let right${s}_${j} = subgroupMatrixLoad<subgroup_matrix_right<i8, 16, 32>>(&stage[rightPiece], ${16 * j * ROW * 4 + 32 * s}u, true, ${4 * ROW}u);`,
      )
      .join('\n')}
${range(side)
  .map(
    (
      i,
    ) => `    let left${s}_${i} = subgroupMatrixLoad<subgroup_matrix_left<i8, 32, 16>>(&stage[leftPiece], ${16 * i * ROW * 4 + 32 * s}u, false, ${4 * ROW}u);
${range(side)
  .map((j) => `    sum${i}_${j} = subgroupMatrixMultiplyAccumulate(left${s}_${i}, right${s}_${j}, sum${i}_${j});`)
  .join('\n')}`,
  )
  .join('\n')}`,
  )
  .join('\n')}
    if (!more) { break; }
  }
${
  offset
    ? range(leftPasses)
        .map((q) => `  totals[leftRow + ${q * rowsPerPass}][leftUnit] = total${q};`)
        .join('\n')
    : ''
}
  let units = p.columns / ${unit};
  let lineUnit = lane / ${linesPerPass};
  let unit = firstColumn / ${unit} + (quarter % 2) * ${unitsPerLine} + lineUnit;
  let firstLine = (quarter / 2) * ${half} + lane % ${linesPerPass};
  let scratch = ${
    inMatrix === 1
      ? `(lane + ${16 - linesPerPass} * (lane / ${linesPerPass})) * ${LINE}`
      : `(lineUnit / 2) * ${PITCH} + (lineUnit % 2) * ${unit} + (lane % ${linesPerPass}) * ${LINE}`
  };
  let lastFour = (p.columns >> 2u) - 1;
${fours
  .map(
    (c) => `  let four${c} = min(unit * ${words} + ${c}, lastFour);
  let bias${c} = constants[p.bias + four${c}];
  let multiplier${c} = constants[p.multipliers + four${c}];${offset ? `\n  let offset${c} = constants[p.offsets + four${c}];` : ''}`,
  )
  .join('\n')}
${range(side)
  .map(
    (i) => `  workgroupBarrier();
${range(side)
  .map((j) => `  subgroupMatrixStore(&stage[subgroup], ${j * PITCH}u, sum${i}_${j}, false, ${LINE}u);`)
  .join('\n')}
  workgroupBarrier();
${((): string => {
  const line = `firstLine + ${16 * i} + h * ${linesPerPass}`
  const at = (c: number, e: number): string => `stage[quarter][scratch + h * ${linesPerPass * LINE} + ${4 * c + e}]`
  // Looped: as straight text the whole kernel ran 2 % slower on an H200.
  return `  for (var h = 0i; h < ${passes}; h++) {
    let row = firstRow + ${line};
    if (row < p.rows && unit < units${spare ? ` && lineUnit < ${unitsPerLine}` : ''}) {
      let place = row * units + unit;
${
  offset
    ? `      let total = ${range(unitsPerRow)
        .map((e) => `totals[${line}][${e}]`)
        .join(' + ')};`
    : ''
}
${fours
  .map(
    (c) =>
      `      let s${c} = vec4<i32>(${range(4)
        .map((e) => at(c, e))
        .join(', ')})${offset ? ` - offset${c} * total` : ''};\n      var other${c} = vec4<i32>();`,
  )
  .join('\n')}
      if (hasResidual != 0) {
        let origin = p.residual >> ${words === 2 ? '1u' : '2u'};
        if (outputSize == 0) {
          let codes = arena[origin + place];
${fours.map((c) => `          other${c} = unpackBytes(codes.${'xyzw'[c]});`).join('\n')}
        } else {
          let low = arena[origin + 2 * place];
          let high = arena[origin + 2 * place + 1];
${fours
  .map((c) => {
    const part = 2 * c < words ? 'low' : 'high'
    return `          other${c} = unpackHalves(${part}.${'xyzw'[(2 * c) % words]}, ${part}.${'xyzw'[(2 * c + 1) % words]});`
  })
  .join('\n')}
        }
      }
      store(place, ${fours.map((c) => `finishWith(s${c}, bias${c}, multiplier${c}, other${c})`).join(', ')});
    }
  }`
})()}`,
  )
  .join('\n')}
}
`
  const name = leftName(left)
  return {
    name: `gemm_${name.replace('-', '_')}${unit}__matrix_${size}x${size}`,
    families: [`${name}-${unit}`],
    level: 'matrix',
    words: CONVOLUTION_WORDS,
    tile: [size, size, 1],
    workgroupBytes: 16 * piece + (offset ? 4 * size * unitsPerRow : 0),
    threads: THREADS,
    code,
  }
}
