/**
 * Samples in NumPy `.npy` files: one file, or a folder of files read in the order of their names. An array is n samples
 * along its first axis; where the card gives a sample's shape, an array of exactly that shape is one sample.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath, splitPath } from './file-path.ts'
import { type NpyArray, readNpy } from './npy.ts'
import { compareCodePoints } from './order.ts'
import { type SampleContext, type SampleSource, sampleKind } from './sample-kind.ts'
import { requireFinite, sampleSizes, toFloat32 } from './sample-numbers.ts'

type Data = Uint8Array | Int8Array | Float32Array

/**
 * `{"kind": "npy", "file": "x.npy"}` or `{"kind": "npy", "folder": "samples"}`. Types u1 and i1 stay as they are; the
 * others become float32 (doubles rounded to nearest, integers exact or refused).
 */
export const npyKind = sampleKind({
  kind: 'npy',
  schema: z
    .strictObject({
      kind: z.literal('npy'),
      file: z.string().min(1).optional(),
      folder: z.string().min(1).optional().describe('folder of .npy files'),
      shape: sampleSizes.optional().describe('of one sample; the axes after the first if absent'),
      channelAxis: z.int().min(0).optional().describe('axis of per-channel scales; 0 if absent'),
    })
    .refine((samples) => (samples.file === undefined) !== (samples.folder === undefined), {
      message: 'give exactly one of "file" and "folder"',
    }),
  async open({ file, folder, shape, channelAxis = 0 }, context) {
    const paths = file === undefined ? await npyFiles(folder as string, context) : [joinPath(context.folder, file)]
    const source =
      file === undefined ? await openFolder(paths, shape, context) : await openFile(paths[0]!, shape, context)
    return { ...source, channelAxis }
  },
})

type Samples = Omit<SampleSource, 'channelAxis'>

async function npyFiles(folder: string, context: SampleContext): Promise<string[]> {
  const path = joinPath(context.folder, folder)
  const names = (await context.files.list(path)).filter((name) => /^[^.].*\.npy$/i.test(name)).sort(compareCodePoints)
  if (names.length === 0) throw new DyadicError('refused', `${quoted(path)} holds no .npy file`)
  return names.map((name) => joinPath(path, name))
}

async function openFile(path: string, shape: readonly number[] | undefined, context: SampleContext): Promise<Samples> {
  const array = readNpy(await context.files.read(path), path)
  const { length, sample } = divide(array, shape, path)
  const data = numbers(array, path)
  const size = sample.reduce((product, axis) => product * axis, 1)
  return {
    length: size === 0 ? 0 : length,
    elementType: typeName(data),
    shape: sample,
    describe: (index) => `${splitPath(path).file}#${index}`,
    read: async (index) => data.slice(index * size, (index + 1) * size),
  }
}

/** Every file must be one sample of the first one's shape and type; it is read again when it is asked for. */
async function openFolder(
  paths: readonly string[],
  shape: readonly number[] | undefined,
  context: SampleContext,
): Promise<Samples> {
  const load = async (path: string, wanted: readonly number[] | undefined) => {
    const array = readNpy(await context.files.read(path), path)
    const whole = wanted === undefined ? { length: 1, sample: array.shape } : divide(array, wanted, path)
    if (whole.length !== 1)
      throw new DyadicError(
        'refused',
        `NumPy file ${quoted(path)} has shape [${array.shape}], ${whole.length} samples; files of a folder hold one each`,
      )
    return { data: numbers(array, path), sample: whole.sample }
  }
  const first = await load(paths[0]!, shape)
  const elementType = typeName(first.data)
  const names = paths.map((path) => splitPath(path).file)
  return {
    length: paths.length,
    elementType,
    shape: first.sample,
    names,
    describe: (index) => names[index]!,
    async read(index) {
      const { data } = await load(paths[index]!, first.sample)
      if (typeName(data) !== elementType)
        throw new DyadicError(
          'refused',
          `NumPy file ${quoted(paths[index]!)} holds ${typeName(data)}, the first file of its folder ${elementType}`,
        )
      return data
    },
  }
}

/** Number and shape of the samples in an array: `shape` itself is one sample, [n, …shape] are n. */
function divide(
  array: NpyArray,
  shape: readonly number[] | undefined,
  path: string,
): { length: number; sample: readonly number[] } {
  const same = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((size, i) => size === b[i])
  if (shape !== undefined && same(array.shape, shape)) return { length: 1, sample: shape }
  const [length, ...sample] = array.shape
  if (length === undefined) throw new DyadicError('refused', `NumPy file ${quoted(path)} holds a scalar, not samples`)
  if (shape !== undefined && !same(sample, shape))
    throw new DyadicError(
      'refused',
      `NumPy file ${quoted(path)} has shape [${array.shape}]; wanted [${shape}] or [n, ${shape.join(', ')}]`,
    )
  return { length, sample }
}

function numbers({ data }: NpyArray, path: string): Data {
  if (data instanceof Uint8Array || data instanceof Int8Array) return data
  if (!(data instanceof Float32Array)) return toFloat32(data, path)
  requireFinite(data, path)
  return data
}

function typeName(data: Data): 'uint8' | 'int8' | 'float32' {
  return data instanceof Float32Array ? 'float32' : data instanceof Int8Array ? 'int8' : 'uint8'
}
