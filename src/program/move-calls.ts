/**
 * Strided copies as kernel calls: moves (R8), imports and exports. Where no element is written twice, loops go in the order
 * of the target; loops that continue each other merge, a contiguous innermost loop becomes a run, and transpositions of bytes
 * go to the kernel that does them in blocks.
 */
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { ExportInstruction, IntegerTensor, Loop, MoveInstruction } from '../lower/integer-graph.ts'
import type { KernelCall } from './module.ts'
import { tensorBytes } from './storage.ts'

/** Loops of one call of `move`. */
const KERNEL_LOOPS = 4
/** Transposition calls that replace the outer loops of a copy, at most. */
const MOST_BLOCKS = 16
/** Bytes from which a transposition in blocks pays. */
const LEAST_BLOCK = 64

/** Innermost loops of fewer elements give way to longer ones. */
const LEAST_INNER = 8

/** Whether no two of the copies write one element: each loop steps over all that the smaller ones reach. */
function writesOnce(loops: readonly Loop[]): boolean {
  let reach = 0
  for (const { count, targetStep } of loops.toSorted((a, b) => Math.abs(a.targetStep) - Math.abs(b.targetStep))) {
    if (Math.abs(targetStep) <= reach) return false
    reach += (count - 1) * Math.abs(targetStep)
  }
  return true
}

/**
 * The same copies in fewer loops: loops of one element are left out, and a loop whose every step continues the next one
 * joins it. `once` says that no element is written twice; loops then go by their steps in the target. Undefined when
 * nothing is copied.
 */
export function mergeLoops(loops: readonly Loop[]): { loops: Loop[]; once: boolean } | undefined {
  if (loops.some(({ count }) => count < 1)) return undefined
  const real = loops.filter(({ count }) => count > 1)
  const once = writesOnce(real)
  if (once) real.sort((a, b) => Math.abs(b.targetStep) - Math.abs(a.targetStep))
  const merged: Loop[] = []
  for (const loop of real) {
    const outer = merged.at(-1)
    if (
      outer !== undefined &&
      outer.sourceStep === loop.count * loop.sourceStep &&
      outer.targetStep === loop.count * loop.targetStep
    )
      merged[merged.length - 1] = { ...loop, count: outer.count * loop.count }
    else merged.push(loop)
  }
  return { loops: merged, once }
}

/** The loop's places as byte offsets. */
function places(loops: readonly Loop[], size: number): { source: number; target: number }[] {
  let list = [{ source: 0, target: 0 }]
  for (const { count, sourceStep, targetStep } of loops)
    list = list.flatMap(({ source, target }) =>
      Array.from({ length: count }, (_, i) => ({
        source: source + i * sourceStep * size,
        target: target + i * targetStep * size,
      })),
    )
  return list
}

function product(loops: readonly Loop[]): number {
  return loops.reduce((total, { count }) => total * count, 1)
}

/** Bytes, none written twice, of which two loops transpose a matrix; undefined for every other copy. */
function transposition(source: number, target: number, loops: readonly Loop[], flip: number): KernelCall[] | undefined {
  const rows = loops.find(({ targetStep }) => targetStep === 1)
  const columns = loops.find(({ sourceStep }) => sourceStep === 1)
  if (rows === undefined || columns === undefined || rows === columns) return undefined
  const outer = loops.filter((loop) => loop !== rows && loop !== columns)
  if (
    rows.sourceStep < 1 ||
    columns.targetStep < 1 ||
    rows.count * columns.count < LEAST_BLOCK ||
    product(outer) > MOST_BLOCKS
  )
    return undefined
  return places(outer, 1).map((place) => ({
    kernel: 'transposeCodes',
    arguments: [
      source + place.source,
      rows.sourceStep,
      target + place.target,
      columns.targetStep,
      rows.count,
      columns.count,
      flip,
    ],
  }))
}

/** Loops in an order that ends with a long one: a short innermost loop costs more to enter than to run. */
function longInnermost(loops: readonly Loop[]): Loop[] {
  const last = loops.at(-1)
  if (last === undefined || last.count >= LEAST_INNER) return [...loops]
  const inner =
    loops.findLast(({ count }) => count >= LEAST_INNER) ??
    loops.reduce((longest, loop) => (loop.count > longest.count ? loop : longest), last)
  return [...loops.filter((loop) => loop !== inner), inner]
}

/** Calls of `move` for {@link mergeLoops merged} loops over elements of `size` bytes. */
function moves(
  source: number,
  target: number,
  size: number,
  { loops, once }: { readonly loops: readonly Loop[]; readonly once: boolean },
): KernelCall[] {
  const last = loops.at(-1)
  const contiguous = last !== undefined && last.sourceStep === 1 && last.targetStep === 1
  const run = contiguous ? last.count * size : size
  const outer = contiguous ? loops.slice(0, -1) : loops
  const rest = once ? longInnermost(outer) : outer
  const unrolled = Math.max(0, rest.length - KERNEL_LOOPS)
  const inner = rest.slice(unrolled)
  const idle = new Array<Loop>(KERNEL_LOOPS - inner.length).fill({ count: 1, sourceStep: 0, targetStep: 0 })
  const steps = [...idle, ...inner].flatMap(({ count, sourceStep, targetStep }) => [
    count,
    sourceStep * size,
    targetStep * size,
  ])
  return places(rest.slice(0, unrolled), size).map((place) => ({
    kernel: 'move',
    arguments: [source + place.source, target + place.target, run, ...steps],
  }))
}

/** Copies elements of `size` bytes between the addresses of the first ones. */
export function copyCalls(source: number, target: number, size: 1 | 2 | 4, loops: readonly Loop[]): KernelCall[] {
  const merged = mergeLoops(loops)
  if (merged === undefined) return []
  const blocks = size === 1 && merged.once ? transposition(source, target, merged.loops, 0) : undefined
  return blocks ?? moves(source, target, size, merged)
}

/** Fill, then every source in order. */
export function moveCalls(instruction: MoveInstruction, at: (tensor: IntegerTensor) => number): KernelCall[] {
  const { output, sources, fill } = instruction
  const size = elementBytes(output.format)
  const filled: KernelCall[] =
    fill === undefined
      ? []
      : [{ kernel: size === 1 ? 'fillBytes' : 'fillHalves', arguments: [at(output), tensorBytes(output), fill] }]
  return [
    ...filled,
    ...sources.flatMap(({ input, sourceStart, targetStart, loops }) =>
      copyCalls(at(input) + sourceStart * size, at(output) + targetStart * size, size, loops),
    ),
  ]
}

/** Stored tensor → compact port. */
export function exportCalls(
  { input, start, loops, format }: ExportInstruction,
  address: number,
  target: number,
): KernelCall[] {
  const size = elementBytes(input.format)
  const source = address + start * size
  const strided: Loop[] = loops.map(({ count, step }, index) => ({
    count,
    sourceStep: step,
    targetStep: loops.slice(index + 1).reduce((total, inner) => total * inner.count, 1),
  }))
  if (size !== 1) return copyCalls(source, target, size, strided)
  const merged = mergeLoops(strided)
  if (merged === undefined) return []
  const flip = format === 'u8' ? 0x80 : 0
  const rows = merged.loops.at(-2) ?? { count: 1, sourceStep: 0, targetStep: 0 }
  const run = merged.loops.at(-1)
  if (merged.loops.length < 3 && run?.sourceStep === 1)
    return [
      {
        kernel: 'copyCodes',
        arguments: [source, rows.sourceStep, target, rows.targetStep, rows.count, run.count, flip],
      },
    ]
  const transposed = transposition(source, target, merged.loops, flip)
  if (transposed !== undefined) return transposed
  const count = product(merged.loops)
  return [
    ...moves(source, target, 1, merged),
    ...(flip === 0 ? [] : [{ kernel: 'copyCodes', arguments: [target, count, target, count, 1, count, flip] }]),
  ]
}
