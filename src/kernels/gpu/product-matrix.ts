/**
 * Products of two computed matrices (R15) on subgroup matrices of 16 × 16 × 32 signed bytes; the operands and what their zero
 * points add are those of product-tiled.ts. A workgroup of 2 × 2 subgroups of 32 threads stages 64 codes of depth of every
 * plane of both operands in two pieces, one per half of its lines; each subgroup holds `side` × `side` matrices of sums per
 * plane. Right codes that lie side by side along the columns stay as they lie and are loaded as rows:
 *
 *   `rows`      piece: [line][64 bytes]            `columns`      right piece: [64 inner][half the columns]
 *
 * Rows of a piece are padded by 16 bytes or to 48, which spreads them over the banks. Sums leave plane by plane, 16 lines at a
 * time, through the pieces, since only there a thread knows which rows and columns it has.
 */
import { PLANES, planeOffset } from './code-planes.ts'
import { PACK } from './codes.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { type ProductOperands, productFamily } from './product-tiled.ts'
import { PRODUCT_PLACE, PRODUCT_WORDS, productTotals } from './product-words.ts'
import { REQUANTIZE } from './requantize.ts'
import { range } from './staged-tile.ts'

/** Codes of depth per stage. */
const DEPTH = 64
/** Words of a staged line, and of a staged row of columns, with their padding. */
const LINE_WORDS = DEPTH / 4 + 4
const ACROSS_WORDS = 12
const SUBGROUP = 32
const THREADS = 4 * SUBGROUP
/** Words from one line of sums to the next, so that eight threads read from all banks at once. */
const SUM_LINE = 20
const SUM_PITCH = 16 * SUM_LINE

/** Text that declares an operand's units, loads those of depth `k` on, puts them in their pieces and adds up its sums. */
interface Staging {
  readonly declare: string
  readonly fetch: string
  readonly put: string
  readonly total: string
}

interface Operand {
  readonly side: 'left' | 'right'
  readonly bits: 8 | 16
  readonly size: number
  /** The first of its pieces; each plane has two. */
  readonly piece: number
  readonly count: string
  readonly first: string
  readonly step: string
}

/** Planes of a unit of the arena: the words of each. */
function planesOf(bits: 8 | 16, name: string): string[][] {
  return bits === 8 ? [[`${name}.x`, `${name}.y`]] : [[`low(${name})`], [`high(${name})`]]
}

/** Codes lie side by side along the inner index: a thread stages one unit of one line per pass. */
function stageLines({ side, bits, size, piece, count, first, step }: Operand): Staging {
  const codes = bits === 8 ? 8 : 4
  const shift = bits === 8 ? '3u' : '2u'
  const units = DEPTH / codes
  const lines = THREADS / units
  const passes = range(size / lines)
  const half = size / 2
  return {
    declare: [
      `  let ${side}Line = t / ${units};\n  let ${side}Unit = t % ${units};`,
      ...passes.map(
        (q) =>
          `  let ${side}At${q} = ${side}Base + ((min(${first} + ${side}Line + ${q * lines}, p.${count} - 1) * p.${step}) >> ${shift}) + ${side}Unit;
  var ${side}${q}: vec2<u32>;
  var ${side}Total${q} = 0i;`,
      ),
    ].join('\n'),
    fetch: passes.map((q) => `    ${side}${q} = arena[${side}At${q} + (k >> ${shift})];`).join('\n'),
    put: passes
      .map((q) => {
        const at = Math.floor((q * lines) / half)
        const row = `(${side}Line + ${(q * lines) % half}) * ${LINE_WORDS}`
        return planesOf(bits, `${side}${q}`)
          .flatMap((words, plane) =>
            words.map(
              (word, w) => `    {
      let codes = ${word} & keep(p.inner - k - ${codes} * ${side}Unit - ${4 * w});
      stage[${piece + 2 * plane + at}][${row} + ${codes / 4} * ${side}Unit + ${w}] = bitcast<i32>(codes);
      ${side}Total${q} += dot4I8Packed(codes, 0x01010101u)${plane === 1 ? ' << 8u' : ''};
    }`,
            ),
          )
          .join('\n')
      })
      .join('\n'),
    total: passes.map((q) => `  atomicAdd(&${side}Totals[${side}Line + ${q * lines}], ${side}Total${q});`).join('\n'),
  }
}

/** Codes lie side by side along the columns: a thread stages one unit of columns of one inner index per pass. */
function stageAcross({ side, bits, size, piece, first, step }: Operand): Staging {
  const codes = bits === 8 ? 8 : 4
  const shift = bits === 8 ? '3u' : '2u'
  const words = codes / 4
  const units = size / codes
  const rows = THREADS / units
  const passes = range(DEPTH / rows)
  /** Words of half the columns. */
  const half = size / 8
  return {
    declare: [
      `  let ${side}Row = t / ${units};
  let ${side}Unit = t % ${units};
  let ${side}Piece = (${side}Unit * ${words}) / ${half};
  let ${side}Place = (${side}Unit * ${words}) % ${half};
  let ${side}At = ${side}Base + (${first} >> ${shift}) + ${side}Unit;`,
      ...range(words).map((w) => `  var ${side}Total${w}: vec4<i32>;`),
      ...passes.map((q) => `  var ${side}${q}: vec2<u32>;`),
    ].join('\n'),
    fetch: passes
      .map(
        (q) =>
          `    ${side}${q} = arena[${side}At + ((min(k + ${side}Row + ${q * rows}, p.inner - 1) * p.${step}) >> ${shift})];`,
      )
      .join('\n'),
    put: passes
      .map((q) =>
        planesOf(bits, `${side}${q}`)
          .flatMap((parts, plane) =>
            parts.map(
              (word, w) => `    {
      let codes = select(0u, ${word}, k + ${side}Row + ${q * rows} < p.inner);
      stage[${piece + 2 * plane} + ${side}Piece][(${side}Row + ${q * rows}) * ${ACROSS_WORDS} + ${side}Place + ${w}] = bitcast<i32>(codes);
      ${side}Total${w} += unpackBytes(codes)${plane === 1 ? ' << vec4<u32>(8u)' : ''};
    }`,
            ),
          )
          .join('\n'),
      )
      .join('\n'),
    total: range(words)
      .flatMap((w) =>
        range(4).map(
          (i) => `  atomicAdd(&${side}Totals[${codes} * ${side}Unit + ${4 * w + i}], ${side}Total${w}.${'xyzw'[i]});`,
        ),
      )
      .join('\n'),
  }
}

export function matrixProduct(operands: ProductOperands, side: 1 | 2): GpuKernel {
  const size = 32 * side
  const half = 16 * side
  const across = operands.along === 'columns'
  const leftPlanes = range(operands.left / 8)
  const rightPlanes = range(operands.right / 8)
  const pieces = 2 * (leftPlanes.length + rightPlanes.length)
  const rightPiece = 2 * leftPlanes.length
  const piece = Math.max(half * LINE_WORDS, side * SUM_PITCH, across ? DEPTH * ACROSS_WORDS : 0)
  const sumPlanes = range(leftPlanes.length + rightPlanes.length - 1)
  const squares = range(side).flatMap((i) => range(side).map((j) => [i, j] as const))
  const left = stageLines({
    side: 'left',
    bits: operands.left,
    size,
    piece: 0,
    count: 'rows',
    first: 'firstRow',
    step: 'leftRow',
  })
  const stageRight = across ? stageAcross : stageLines
  const right = stageRight({
    side: 'right',
    bits: operands.right,
    size,
    piece: rightPiece,
    count: 'columns',
    first: 'firstColumn',
    step: across ? 'rightInner' : 'rightColumn',
  })
  const base = (name: 'left' | 'right', element: string): string =>
    `  let ${name}Base = ((p.${name} + image * p.${name}Image) >> 1u) + (${element} >> ${operands[name] === 8 ? '3u' : '2u'});`
  const loadRight = (s: number, plane: number, j: number): string => {
    const [offset, columnMajor, stride] = across
      ? [32 * s * ACROSS_WORDS * 4 + 16 * j, 'false', 4 * ACROSS_WORDS]
      : [16 * j * LINE_WORDS * 4 + 32 * s, 'true', 4 * LINE_WORDS]
    return `    let right${s}_${plane}_${j} = subgroupMatrixLoad<subgroup_matrix_right<i8, 16, 32>>(&stage[${rightPiece + 2 * plane}u + rightHalf], ${offset}u, ${columnMajor}, ${stride}u);`
  }
  const loadLeft = (s: number, plane: number, i: number): string =>
    `    let left${s}_${plane}_${i} = subgroupMatrixLoad<subgroup_matrix_left<i8, 32, 16>>(&stage[${2 * plane}u + leftHalf], ${16 * i * LINE_WORDS * 4 + 32 * s}u, false, ${4 * LINE_WORDS}u);`
  const multiply = (s: number): string =>
    [
      ...rightPlanes.flatMap((plane) => range(side).map((j) => loadRight(s, plane, j))),
      ...leftPlanes.flatMap((a) =>
        range(side).flatMap((i) => [
          loadLeft(s, a, i),
          ...rightPlanes.flatMap((b) =>
            range(side).map((j) => {
              const sum = `sum${a + b}_${i}_${j}`
              return `    ${sum} = subgroupMatrixMultiplyAccumulate(left${s}_${a}_${i}, right${s}_${b}_${j}, ${sum});`
            }),
          ),
        ]),
      ),
    ].join('\n')
  const unitsPerLine = half / 8
  const linesPerPass = SUBGROUP / unitsPerLine
  const passes = range(16 / linesPerPass)
  const code = `enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
${bindings(PRODUCT_WORDS, 'vec2<u32>')}${PACK}${REQUANTIZE}${PLANES}
var<workgroup> stage: array<array<i32, ${piece}>, ${pieces}>;
${productTotals(size, size)}
fn four(piece: i32, at: i32) -> vec4<i32> {
  return vec4<i32>(stage[piece][at], stage[piece][at + 1], stage[piece][at + 2], stage[piece][at + 3]);
}

@compute @workgroup_size(${SUBGROUP}, 4)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(subgroup_id) subgroup: u32,
) {
  let lane = i32(local.x);
  let quarter = i32(local.y);
  let t = quarter * ${SUBGROUP} + lane;
  let leftHalf = subgroup / 2u;
  let rightHalf = subgroup % 2u;
  let firstRow = i32(group.y) * ${size};
  let firstColumn = i32(group.x) * ${size};
  let image = i32(group.z) / p.products;
  var rest = i32(group.z) % p.products;
  var source = p.leftStart;
  var by = p.rightStart;
  var to = p.outputStart;
${PRODUCT_PLACE}
${base('left', 'source')}
${base('right', 'by')}
${left.declare}
${right.declare}
${sumPlanes.flatMap((plane) => squares.map(([i, j]) => `  var sum${plane}_${i}_${j}: subgroup_matrix_result<i32, 16, 16>;`)).join('\n')}
  var k = 0i;
${left.fetch}
${right.fetch}
  loop {
    workgroupBarrier();
${left.put}
${right.put}
    workgroupBarrier();
    k += ${DEPTH};
    let more = k < p.inner;
    // What the next stage takes is on its way while this one is multiplied.
    if (more) {
${left.fetch}
${right.fetch}
    }
${range(DEPTH / 32)
  .map(multiply)
  .join('\n')}
    if (!more) { break; }
  }
${left.total}
${right.total}
  let lineUnit = lane / ${linesPerPass};
  let line = lane % ${linesPerPass};
  let scratch = (lineUnit / 2) * ${SUM_PITCH} + (lineUnit % 2) * 8 + line * ${SUM_LINE};
  let inColumn = (quarter % 2) * ${half} + lineUnit * 8;
  let column = firstColumn + inColumn;
  workgroupBarrier();
  let leftZero = p.leftZeroPoint - ${planeOffset(operands.left)};
  let rightZero = p.rightZeroPoint - ${planeOffset(operands.right)};
  let both = p.inner * leftZero * rightZero;
  let offset0 = vec4<i32>(both) - vec4<i32>(leftZero) * rightTotal(inColumn);
  let offset1 = vec4<i32>(both) - vec4<i32>(leftZero) * rightTotal(inColumn + 4);
  let place = (p.output + image * p.outputImage) >> 1u;
${range(side)
  .map(
    (i) => `  {
${passes.map((h) => `    var value${h}_0 = offset0;\n    var value${h}_1 = offset1;`).join('\n')}
${sumPlanes
  .map(
    (plane) => `    workgroupBarrier();
${range(side)
  .map(
    (j) => `    subgroupMatrixStore(&stage[subgroup], ${j * SUM_PITCH}u, sum${plane}_${i}_${j}, false, ${SUM_LINE}u);`,
  )
  .join('\n')}
    workgroupBarrier();
${passes
  .flatMap((h) =>
    range(2).map((c) => {
      const value = `four(quarter, scratch + ${h * linesPerPass * SUM_LINE + 4 * c})`
      return `    value${h}_${c} += ${plane === 0 ? value : `${value} << vec4<u32>(${8 * plane}u)`};`
    }),
  )
  .join('\n')}`,
  )
  .join('\n')}
${passes
  .map(
    (h) => `    {
      let inRow = (quarter / 2) * ${half} + ${16 * i + h * linesPerPass} + line;
      let row = firstRow + inRow;
      if (row < p.rows && column < p.columns) {
        let share = vec4<i32>(rightZero * atomicLoad(&leftTotals[inRow]));
        let a = finish(value${h}_0 - share);
        let b = finish(value${h}_1 - share);
        let element = to + row * p.outputRow + column;
        if (p.outputSize == 0) {
          arena[place + (element >> 3u)] = vec2<u32>(packBytes(a), packBytes(b));
        } else {
          arena[place + (element >> 2u)] = vec2<u32>(packHalves(a.x, a.y), packHalves(a.z, a.w));
          arena[place + (element >> 2u) + 1] = vec2<u32>(packHalves(b.x, b.y), packHalves(b.z, b.w));
        }
      }
    }`,
  )
  .join('\n')}
  }`,
  )
  .join('\n')}
}
`
  const family = productFamily(operands)
  return {
    name: `${family.replaceAll('-', '_')}__matrix_${size}x${size}`,
    families: [family],
    level: 'matrix',
    words: PRODUCT_WORDS,
    tile: [size, size, 1],
    workgroupBytes: 4 * piece * pieces + 8 * size,
    threads: THREADS,
    code,
  }
}
