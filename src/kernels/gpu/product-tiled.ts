/**
 * Products of two computed matrices (R15) by tiles, four codes to a word. The left operand's rows lie side by side along the
 * inner index; the right one's columns too (`rows`, as queries meet keys), or its codes lie side by side along the columns and
 * are turned while they are staged (`columns`, as probabilities meet values). What the zero points add leaves the sums by
 *
 *   Σ (l − zl)(r − zr)  =  Σ l r  −  zl Σ r  −  zr Σ l  +  inner · zl · zr
 *
 * modulo 2^32, which the proof of the left side allows. The sums of single operands come from what a thread stages.
 */
import { byteProducts, PLANES, planeOffset } from './code-planes.ts'
import { PACK } from './codes.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { PRODUCT_PLACE, PRODUCT_WORDS, productTotals } from './product-words.ts'
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

/** Bits of both operands' codes, and along what the right one's lie side by side. */
export interface ProductOperands {
  readonly left: 8 | 16
  readonly right: 8 | 16
  readonly along: 'rows' | 'columns'
}

/** The family of tiled products of such operands. */
export function productFamily({ left, right, along }: ProductOperands): string {
  return `product-${left}x${right}-${along}`
}

/** Words of depth per stage, so that all planes fit 16 KiB of workgroup memory. */
function stepsOf({ left, right }: ProductOperands): number {
  return left === 8 && right === 8 ? 16 : 8
}

/** What stages one operand: text that declares, loads a stage from depth `k` on, puts it in place, and adds up its sums. */
interface Staging {
  readonly declare: string
  readonly fetch: string
  readonly put: string
  readonly total: string
}

interface Operand {
  readonly side: 'left' | 'right'
  readonly bits: 8 | 16
  /** Name of the word that counts its lines, and the line where the tile begins. */
  readonly count: string
  readonly first: string
  /** Elements from line to line, and along the inner index. */
  readonly lineStep: string
  readonly innerStep: string
  readonly lines: number
  readonly turned: boolean
}

/** A unit of the arena is 8 bytes: eight codes of 8 bits or four of 16. */
function stage(operand: Operand, tile: StagedTile): Staging {
  const { side, bits, lines, turned } = operand
  const unit = bits === 8 ? 8 : 4
  const shift = bits === 8 ? '3u' : '2u'
  const words = unit / 4
  const threads = tileThreads(tile)
  const unitsPerStep = turned ? lines / unit : (tile.steps * 4) / unit
  const items = turned ? tile.steps * unitsPerStep : (lines / 4) * unitsPerStep
  const loads = range(Math.ceil(items / threads))
  const guard = (q: number, text: string): string =>
    items % threads === 0 ? text : `if (${side}Item${q} < ${items}) {\n${text}\n}`
  const declare = (q: number): string => {
    const item = `  let ${side}Item${q} = t + ${q * threads};`
    const totals = range(turned ? words : 1).map((w) => `  var ${side}Total${q}_${w}: vec4<i32>;`)
    const codes = range(4).map((i) => `  var ${side}${q}_${i}: vec2<u32>;`)
    const places = turned
      ? [
          `  let ${side}Unit${q} = ${side}Item${q} % ${unitsPerStep};`,
          `  let ${side}Step${q} = ${side}Item${q} / ${unitsPerStep};`,
          `  let ${side}At${q} = ${side}Base + (${operand.first} >> ${shift}) + ${side}Unit${q};`,
        ]
      : [
          `  let ${side}Four${q} = (${side}Item${q} / 4) % ${lines / 4};`,
          `  let ${side}Unit${q} = ${side}Item${q} % 4 + 4 * (${side}Item${q} / ${lines});`,
          ...range(4).map(
            (i) =>
              `  let ${side}At${q}_${i} = ${side}Base + ((min(${operand.first} + 4 * ${side}Four${q} + ${i}, p.${operand.count} - 1) * p.${operand.lineStep}) >> ${shift}) + ${side}Unit${q};`,
          ),
        ]
    return [item, ...totals, ...codes, ...places].join('\n')
  }
  const fetch = (q: number): string =>
    range(4)
      .map((i) =>
        turned
          ? `${side}${q}_${i} = arena[${side}At${q} + ((min(k + 4 * ${side}Step${q} + ${i}, p.inner - 1) * p.${operand.innerStep}) >> ${shift})];`
          : `${side}${q}_${i} = arena[${side}At${q}_${i} + (k >> ${shift})];`,
      )
      .join('\n')
  /** Word `w` of the unit of each of four lines, or of a plane of it. */
  const four = (q: number, w: number, plane: number): string => {
    const part = (i: number): string =>
      bits === 8 ? `${side}${q}_${i}.${'xy'[w]}` : `${plane === 0 ? 'low' : 'high'}(${side}${q}_${i})`
    const parts = range(4).map(part).join(', ')
    return turned ? `turn(${parts})` : `vec4<u32>(${parts})`
  }
  const put = (q: number): string =>
    range(words)
      .map((w) => {
        const step = turned ? `${side}Step${q}` : `${words} * ${side}Unit${q} + ${w}`
        const place = placeOf(side, turned ? `${words} * ${side}Unit${q} + ${w}` : `${side}Four${q}`, tile)
        const planes = range(bits / 8).map(
          (plane) => `let codes${plane} = ${four(q, w, plane)} & mask;
${side}_${plane}[(${step}) * ${stepPitch(lines)} + ${place}] = codes${plane};`,
        )
        const sum = bits === 8 ? 'sums(codes0)' : 'sums(codes0) + (sums(codes1) << vec4<u32>(8u))'
        return `{
let mask = vec4<u32>(keep(p.inner - k - 4 * (${step})));
${planes.join('\n')}
${side}Total${q}_${turned ? w : 0} += ${sum};
}`
      })
      .join('\n')
  const total = (q: number): string =>
    range(turned ? words : 1)
      .flatMap((w) =>
        range(4).map(
          (i) =>
            `atomicAdd(&${side}Totals[4 * (${turned ? `${words} * ${side}Unit${q} + ${w}` : `${side}Four${q}`}) + ${i}], ${side}Total${q}_${w}.${'xyzw'[i]});`,
        ),
      )
      .join('\n')
  return {
    declare: loads.map(declare).join('\n'),
    fetch: loads.map((q) => guard(q, fetch(q))).join('\n'),
    put: loads.map((q) => guard(q, put(q))).join('\n'),
    total: loads.map((q) => guard(q, total(q))).join('\n'),
  }
}

export function tiledProduct(
  level: 'plain' | 'dot4',
  operands: ProductOperands,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): GpuKernel {
  const tile: StagedTile = {
    rows,
    columns,
    steps: stepsOf(operands),
    leftPlanes: operands.left / 8,
    rightPlanes: operands.right / 8,
  }
  const lanes = columns / 8
  const left = stage(
    {
      side: 'left',
      bits: operands.left,
      count: 'rows',
      first: 'firstRow',
      lineStep: 'leftRow',
      innerStep: 'leftInner',
      lines: rows,
      turned: false,
    },
    tile,
  )
  const right = stage(
    {
      side: 'right',
      bits: operands.right,
      count: 'columns',
      first: 'firstColumn',
      lineStep: 'rightColumn',
      innerStep: 'rightInner',
      lines: columns,
      turned: operands.along === 'columns',
    },
    tile,
  )
  const base = (side: 'left' | 'right', element: string): string =>
    `  let ${side}Base = ((p.${side} + image * p.${side}Image) >> 1u) + (${element} >> ${operands[side] === 8 ? '3u' : '2u'});`
  const code = `${bindings(PRODUCT_WORDS, 'vec2<u32>')}${PACK}${REQUANTIZE}${PLANES}${byteProducts(level)}
${declareTile(tile)}
${productTotals(rows, columns)}
@compute @workgroup_size(${tileThreads(tile)})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let t = i32(thread);
  let line = t / ${lanes};
  let lane = t % ${lanes};
  let firstRow = i32(group.y) * ${rows};
  let firstColumn = i32(group.x) * ${columns};
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
${declareSums(tile)}
  let busy = firstRow + line * ${THREAD_ROWS} < p.rows;
  var k = 0i;
${left.fetch}
${right.fetch}
  loop {
    workgroupBarrier();
${left.put}
${right.put}
    workgroupBarrier();
    k += ${4 * tile.steps};
    let more = k < p.inner;
    // What the next stage takes is on its way while this one is multiplied.
    if (more) {
${left.fetch}
${right.fetch}
    }
    if (busy) {
${multiplyTile(tile)}
    }
    if (!more) { break; }
  }
${left.total}
${right.total}
  workgroupBarrier();
  let column = firstColumn + 8 * lane;
  if (column >= p.columns) { return; }
  let leftZero = p.leftZeroPoint - ${planeOffset(operands.left)};
  let rightZero = p.rightZeroPoint - ${planeOffset(operands.right)};
  let both = p.inner * leftZero * rightZero;
  let offset0 = vec4<i32>(both) - vec4<i32>(leftZero) * rightTotal(8 * lane);
  let offset1 = vec4<i32>(both) - vec4<i32>(leftZero) * rightTotal(8 * lane + 4);
  let target0 = (p.output + image * p.outputImage) >> 1u;
${range(THREAD_ROWS)
  .map(
    (i) => `  {
    let row = firstRow + line * ${THREAD_ROWS} + ${i};
    if (row < p.rows) {
      let share = vec4<i32>(rightZero * atomicLoad(&leftTotals[line * ${THREAD_ROWS} + ${i}]));
      let a = finish(${sumOf(tile, i, 0)} + offset0 - share);
      let b = finish(${sumOf(tile, i, 1)} + offset1 - share);
      let element = to + row * p.outputRow + column;
      if (p.outputSize == 0) {
        arena[target0 + (element >> 3u)] = vec2<u32>(packBytes(a), packBytes(b));
      } else {
        arena[target0 + (element >> 2u)] = vec2<u32>(packHalves(a.x, a.y), packHalves(a.z, a.w));
        arena[target0 + (element >> 2u) + 1] = vec2<u32>(packHalves(b.x, b.y), packHalves(b.z, b.w));
      }
    }
  }`,
  )
  .join('\n')}
}
`
  const family = productFamily(operands)
  return {
    name: `${family.replaceAll('-', '_')}__${level}_${rows}x${columns}`,
    families: [family],
    level,
    words: PRODUCT_WORDS,
    tile: [columns, rows, 1],
    workgroupBytes: tileBytes(tile) + 4 * (rows + columns),
    threads: tileThreads(tile),
    code,
  }
}
