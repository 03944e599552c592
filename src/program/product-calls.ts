/**
 * Products of two computed matrices (R15) as kernel calls: where the packed operands lie in scratch memory, and one call for
 * every two loops of batches. The kernel is src/kernels/assembly/integer/product.ts.
 */
import { elementBytes, LANES } from '../kernels/scalar/geometry.ts'
import type { IntegerTensor, ProductInstruction, ProductLoop } from '../lower/integer-graph.ts'
import { align } from '../lower/memory.ts'
import { encodeEpilogue, epilogueLanes } from './epilogue.ts'
import type { KernelCall } from './module.ts'
import { tensorBytes } from './storage.ts'

/** Batch loops of one call. */
const KERNEL_LOOPS = 2
const IDLE: ProductLoop = { count: 1, leftStep: 0, rightStep: 0, outputStep: 0 }

/**
 * Whether the kernel can read the left operand as it is stored: 16 bits, no zero point, rows in one piece. Of odd rows the
 * kernel reads one element more, which must lie in the tensor.
 */
export function readsLeft(instruction: ProductInstruction): boolean {
  const { left, leftZeroPoint, leftStart, leftSteps, rows, inner, batches } = instruction
  if (left.format !== 's16' || leftZeroPoint !== 0 || leftSteps.inner !== 1) return false
  const reach = (count: number, step: number): number => Math.max(0, (count - 1) * step)
  const furthest =
    leftStart +
    inner +
    reach(rows, leftSteps.row) +
    batches.reduce((sum, { count, leftStep }) => sum + reach(count, leftStep), 0)
  return inner % 2 === 0 || furthest * elementBytes('s16') < tensorBytes(left)
}

/** Bytes of the packed operands: left rows (0 where they are read as stored), then the panels of the right one. */
function packedBytes(instruction: ProductInstruction): { left: number; right: number } {
  const pairs = Math.ceil(instruction.inner / 2)
  return {
    left: readsLeft(instruction) ? 0 : align(instruction.rows * pairs * 4, 16),
    right: Math.ceil(instruction.columns / LANES) * LANES * pairs * 4,
  }
}

/** Bytes of scratch memory. */
export function productScratch(instruction: ProductInstruction): number {
  const { left, right } = packedBytes(instruction)
  return left + right
}

/** Addresses of biases (none), multipliers and epilogue. */
export function productConstants(
  { columns, multiplier, shift, outputZeroPoint, clamp, output }: ProductInstruction,
  placeData: (values: Int8Array | Int32Array) => number,
): number[] {
  const lanes = align(columns, LANES)
  return [
    placeData(new Int32Array(lanes)),
    placeData(new Int32Array(lanes).fill(multiplier)),
    placeData(encodeEpilogue({ shift, outputZeroPoint, clamp, ...epilogueLanes(output.format) })),
  ]
}

/** Loops of one product are left out, and a loop whose every step continues the next one joins it. */
function mergeBatches(batches: readonly ProductLoop[]): ProductLoop[] {
  const merged: ProductLoop[] = []
  for (const loop of batches.filter(({ count }) => count > 1)) {
    const outer = merged.at(-1)
    const continues = (step: 'leftStep' | 'rightStep' | 'outputStep'): boolean =>
      outer !== undefined && outer[step] === loop.count * loop[step]
    if (outer !== undefined && continues('leftStep') && continues('rightStep') && continues('outputStep'))
      merged[merged.length - 1] = { ...loop, count: outer.count * loop.count }
    else merged.push(loop)
  }
  return merged
}

/** Where the products of loops begin, in stored elements. */
function places(loops: readonly ProductLoop[]): { left: number; right: number; output: number }[] {
  let list = [{ left: 0, right: 0, output: 0 }]
  for (const { count, leftStep, rightStep, outputStep } of loops)
    list = list.flatMap(({ left, right, output }) =>
      Array.from({ length: count }, (_, i) => ({
        left: left + i * leftStep,
        right: right + i * rightStep,
        output: output + i * outputStep,
      })),
    )
  return list
}

/** The kernel calls; `constants` is what {@link productConstants} gave, `scratch` has {@link productScratch} bytes. */
export function productCalls(
  instruction: ProductInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall[] {
  const { left, right, output, leftSteps, rightSteps, outputSteps } = instruction
  const [leftSize, rightSize, outputSize] = [left, right, output].map(({ format }) => elementBytes(format))
  const merged = mergeBatches(instruction.batches)
  const unrolled = Math.max(0, merged.length - KERNEL_LOOPS)
  const inner = merged.slice(unrolled)
  const loops = [...new Array<ProductLoop>(KERNEL_LOOPS - inner.length).fill(IDLE), ...inner]
  const packed = packedBytes(instruction)
  return places(merged.slice(0, unrolled)).map((place) => ({
    kernel: output.format === 's16' ? 'product16' : 'product',
    arguments: [
      at(left) + (instruction.leftStart + place.left) * leftSize,
      at(right) + (instruction.rightStart + place.right) * rightSize,
      at(output) + (instruction.outputStart + place.output) * outputSize,
      packed.left === 0 ? 0 : scratch,
      scratch + packed.left,
      leftSize - 1,
      rightSize - 1,
      ...loops.flatMap(({ count, leftStep, rightStep, outputStep }) => [
        count,
        leftStep * leftSize,
        rightStep * rightSize,
        outputStep * outputSize,
      ]),
      instruction.rows,
      instruction.inner,
      instruction.columns,
      leftSteps.row * leftSize,
      leftSteps.inner * leftSize,
      rightSteps.inner * rightSize,
      rightSteps.column * rightSize,
      outputSteps.row,
      instruction.leftZeroPoint,
      instruction.rightZeroPoint,
      ...constants,
      instruction.leftShift,
      instruction.shift - 32,
    ],
  }))
}
