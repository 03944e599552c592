/** The meaning of kernels that move integers without changing them: strided copies (R8), constants and the program's rim. */
import type { Stored, StoredData } from './geometry.ts'

/** One loop of a strided copy; steps count elements. */
export interface CopyLoop {
  readonly count: number
  readonly sourceStep: number
  readonly targetStep: number
}

/** Copies element by element over all loops, the first is the outermost. */
export function copyStrided(
  source: ArrayLike<number>,
  sourceStart: number,
  target: { [index: number]: number },
  targetStart: number,
  loops: readonly CopyLoop[],
): void {
  const copy = (from: number, to: number, depth: number): void => {
    if (depth === loops.length) {
      target[to] = source[from]
      return
    }
    const { count, sourceStep, targetStep } = loops[depth]
    for (let i = 0; i < count; i++) copy(from + i * sourceStep, to + i * targetStep, depth + 1)
  }
  copy(sourceStart, targetStart, 0)
}

export interface StoredMove {
  readonly input: Stored
  readonly sourceStart: number
  readonly targetStart: number
  readonly loops: readonly CopyLoop[]
}

/** Fills the output where a fill code is given, then copies every source in order. */
export function move(sources: readonly StoredMove[], output: Stored, fill: number | undefined): void {
  if (fill !== undefined) output.data.fill(fill)
  for (const { input, sourceStart, targetStart, loops } of sources)
    copyStrided(input.data, sourceStart, output.data, targetStart, loops)
}

/** Codes [height][width][channels], compact → stored. */
export function storeConstant(codes: ArrayLike<number>, output: Stored): void {
  const pixels = output.height * output.width
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < output.channels; c++) output.data[p * output.stride + c] = codes[p * output.channels + c]
}

/** Program input (compact, ONNX order) → stored; unsigned bytes are stored as value − 128. */
export function importTensor(source: Uint8Array | StoredData, output: Stored, layout: 'nchw' | 'nhwc'): void {
  const offset = source instanceof Uint8Array ? 128 : 0
  const pixels = output.height * output.width
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < output.channels; c++)
      output.data[p * output.stride + c] = source[layout === 'nchw' ? c * pixels + p : p * output.channels + c] - offset
}

/** One loop of an export; the step counts stored elements. */
export interface ReadLoop {
  readonly count: number
  readonly step: number
}

/** Stored tensor → program output, compact: the loops run over the output in its order. Unsigned bytes are value + 128. */
export function exportTensor(
  input: Stored,
  target: Uint8Array | StoredData,
  start: number,
  loops: readonly ReadLoop[],
): void {
  const offset = target instanceof Uint8Array ? 128 : 0
  let next = 0
  const read = (position: number, depth: number): void => {
    if (depth === loops.length) target[next++] = input.data[position] + offset
    else for (let i = 0; i < loops[depth].count; i++) read(position + i * loops[depth].step, depth + 1)
  }
  read(start, 0)
}
