/** Random products of matrices for test graphs: operands of any layout, multipliers that make the results fill their range. */
import { allocateStored, channelStride, type Stored } from '../kernels/scalar/geometry.ts'
import { product } from '../kernels/scalar/product.ts'
import { proveProduct } from '../lower/bounds.ts'
import type { IntegerTensor, ProductInstruction } from '../lower/integer-graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { INT8, INT32, type Interval, interval } from '../num/interval.ts'
import type { Random } from './program.fixture.ts'
import { randomClamp } from './random-convolution.fixture.ts'

export interface Shape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Where a product's elements lie. */
export type ProductLayout = Pick<
  ProductInstruction,
  | 'leftStart'
  | 'rightStart'
  | 'outputStart'
  | 'batches'
  | 'rows'
  | 'inner'
  | 'columns'
  | 'leftSteps'
  | 'rightSteps'
  | 'outputSteps'
>

export interface ProductSizes {
  readonly rows: number
  readonly inner: number
  readonly columns: number
  /** Counts of up to three batch loops. */
  readonly batches: readonly number[]
}

/** A named loop and how often it runs. */
type Part = readonly [name: string, count: number]

/** A tensor whose axes are products of loops; steps by name, 0 for loops that do not run along it. */
function placed(axes: readonly (readonly Part[])[], room: readonly number[], before: readonly number[]) {
  const sizes = axes.map((parts, axis) => parts.reduce((size, [, count]) => size * count, 1) + room[axis])
  const [height, width, channels] = sizes as [number, number, number]
  const stride = channelStride(channels)
  const base = [width * stride, stride, 1]
  const steps = new Map<string, number>()
  for (const [axis, parts] of axes.entries()) {
    let step = base[axis] as number
    for (const [name, count] of parts.toReversed()) {
      steps.set(name, step)
      step *= count
    }
  }
  const start = before.reduce((sum, count, axis) => sum + count * (base[axis] as number), 0)
  return { shape: { height, width, channels }, start, step: (name: string): number => steps.get(name) ?? 0 }
}

/** An operand with its loops on random axes, sometimes in a larger tensor; batches may be shared. */
function randomOperand(matrix: readonly Part[], batches: readonly Part[], random: Random) {
  const axes: Part[][] = [[], [], []]
  for (const part of [...matrix, ...batches.filter(() => !random.chance(0.2))]) {
    const axis = random.pick(axes)
    axis.splice(random.between(0, axis.length), 0, part)
  }
  const room = axes.map(() => (random.chance(0.15) ? random.between(1, 9) : 0))
  return placed(
    axes,
    room,
    room.map((size) => random.between(0, size)),
  )
}

/** Shapes of both operands and the result, and the steps through them. */
export function randomProductLayout(
  { rows, inner, columns, batches }: ProductSizes,
  random: Random,
): { left: Shape; right: Shape; output: Shape; layout: ProductLayout } {
  const loops = batches.map((count, index): Part => [`batch ${index}`, count])
  const left = randomOperand(
    [
      ['row', rows],
      ['inner', inner],
    ],
    loops,
    random,
  )
  const right = randomOperand(
    [
      ['inner', inner],
      ['column', columns],
    ],
    loops,
    random,
  )
  const axes: Part[][] = [[], [], []]
  // Several rows of columns share a pixel only where they fill whole vectors.
  for (const part of [...loops, ['row', rows] as const])
    axes[columns % 8 === 0 ? random.between(0, 2) : random.between(0, 1)]?.push(part)
  axes[2]?.push(['column', columns])
  const output = placed(axes, [0, 0, 0], [])
  return {
    left: left.shape,
    right: right.shape,
    output: output.shape,
    layout: {
      leftStart: left.start,
      rightStart: right.start,
      outputStart: 0,
      batches: loops.map(([name, count]) => ({
        count,
        leftStep: left.step(name),
        rightStep: right.step(name),
        outputStep: output.step(name),
      })),
      rows,
      inner,
      columns,
      leftSteps: { row: left.step('row'), inner: left.step('inner') },
      rightSteps: { inner: right.step('inner'), column: right.step('column') },
      outputSteps: { row: output.step('row'), column: 1 },
    },
  }
}

/** Codes of an operand, and the zero point that its product subtracts. */
export interface ProductOperand {
  readonly range: Interval
  readonly zeroPoint: number
}

/** Operands whose sums of `inner` products stay within 2^30: 16-bit codes over less than their range where they must. */
export function randomProductOperands(
  formats: readonly ('s8' | 's16')[],
  inner: number,
  random: Random,
): [left: ProductOperand, right: ProductOperand] {
  const room = 2 ** 30 / inner
  const both = formats[0] === 's16' && formats[1] === 's16'
  const reach = Math.min(32767, Math.floor(both ? Math.sqrt(room) : room / 255))
  const [left, right] = formats.slice(0, 2).map((format): ProductOperand => {
    if (format === 's8') return { range: INT8, zeroPoint: random.chance(0.2) ? 0 : random.between(-128, 127) }
    const half = random.chance(0.5) ? reach : reach >> 1
    return { range: interval(-half, half), zeroPoint: half === reach ? 0 : random.between(-half, half) }
  })
  return [left as ProductOperand, right as ProductOperand]
}

/** Everything of a product but its name and output tensor; the samples are what the operands hold for the sample that runs. */
export function randomProduct(
  left: IntegerTensor,
  right: IntegerTensor,
  samples: { readonly left: Stored; readonly right: Stored },
  [leftOperand, rightOperand]: readonly [left: ProductOperand, right: ProductOperand],
  shape: Shape,
  layout: ProductLayout,
  format: 's8' | 's16',
  random: Random,
): Omit<ProductInstruction, 'name' | 'output'> {
  const minus = ({ range: { low, high }, zeroPoint }: ProductOperand) => interval(low - zeroPoint, high - zeroPoint)
  const zeroPoints = { leftZeroPoint: leftOperand.zeroPoint, rightZeroPoint: rightOperand.zeroPoint }
  const plain = allocateStored('s32', shape.height, shape.width, shape.channels)
  // Multiplier 2^30 at shift 32 behind a left shift of 2 is exactly 1.
  product(samples.left as Stored<Int8Array>, samples.right as Stored<Int8Array>, plain, {
    ...layout,
    ...zeroPoints,
    multiplier: 2 ** 30,
    shift: 32,
    leftShift: 2,
    outputZeroPoint: 0,
    ...INT32,
  })
  const seen = [...plain.data].filter((value) => value !== 0)
  const middle = seen.reduce((sum, value) => sum + value, 0) / Math.max(1, seen.length)
  const spread = Math.sqrt(seen.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, seen.length))
  const unit = format === 's16' ? 200 : 1
  const ratio = Math.min(0.45, (random.between(40, 90) * unit) / Math.max(spread, 100))
  let { multipliers, shift } = dyadicRatios([ratio], 'product')
  let leftShift = 0
  if (random.chance(0.2)) {
    multipliers = Int32Array.of(random.pick([0, 1, 2 ** 30, 2 ** 31 - 1]))
    shift = random.between(32, 62)
    leftShift = random.between(0, 3)
  }
  const limit = format === 's16' ? 32767 : 127
  const clamp = randomClamp(format, random)
  const prove = (left: number) =>
    proveProduct({
      where: 'product',
      leftRange: minus(leftOperand),
      rightRange: minus(rightOperand),
      inner: layout.inner,
      multiplier: multipliers[0] as number,
      shift,
      leftShift: left,
    })
  while (leftShift > 0 && Math.max(-prove(0).biased.low, prove(0).biased.high) * 2 ** leftShift >= 2 ** 31) leftShift--
  return {
    kind: 'product',
    left,
    right,
    ...layout,
    ...zeroPoints,
    multiplier: multipliers[0] as number,
    shift,
    leftShift,
    outputZeroPoint: Math.max(-limit, Math.min(limit, Math.round(-middle * ratio))),
    clamp,
    bounds: prove(leftShift),
  }
}
