/** One dispatch from named words: the order in which a family's shaders take them stands with its kernels. */
import { DyadicError } from '../error.ts'
import { GPU_KERNELS } from '../kernels/gpu/kernels.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'

/** Threads in x, one image in z. */
export function dispatchThreads(
  family: string,
  name: string,
  threads: number,
  words: Readonly<Record<string, number>>,
): GpuDispatch {
  return { ...named(family, name, words), extent: [threads, 1, 1], batchAxis: 2 }
}

/** Columns in x, rows in y; a batch has more rows. The word `depth` is what each result sums over. */
export function dispatchRows(
  family: string,
  name: string,
  columns: number,
  rows: number,
  words: Readonly<Record<string, number>>,
): GpuDispatch {
  const { depth } = words
  return { ...named(family, name, words), extent: [columns, rows, 1], batchAxis: 1, ...(depth && { depth }) }
}

/** Tiles of columns in x and rows in y, products in z; a batch has more products. */
export function dispatchTiles(
  family: string,
  name: string,
  extent: readonly [columns: number, rows: number, products: number],
  words: Readonly<Record<string, number>>,
): GpuDispatch {
  return { ...named(family, name, words), extent, batchAxis: 2 }
}

function named(
  family: string,
  name: string,
  words: Readonly<Record<string, number>>,
): Pick<GpuDispatch, 'family' | 'name' | 'words' | 'scaled'> {
  const kernel = GPU_KERNELS.find(({ families }) => families.includes(family))
  if (kernel === undefined) throw new DyadicError('unsupported', `no GPU kernel of the family ${family}`)
  const order = [...kernel.words.scaled, ...kernel.words.fixed]
  const wrong = Object.keys(words).find((word) => !order.includes(word)) ?? order.find((word) => !(word in words))
  if (wrong !== undefined)
    throw new DyadicError('refused', `the GPU kernel ${kernel.name} and its dispatch differ in the word ${wrong}`)
  const values = order.map((word) => words[word] | 0)
  return { family, name, words: values, scaled: kernel.words.scaled.length }
}
