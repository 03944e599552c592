/**
 * Tensors that keep their bytes in another file (`external_data`): what their entries say, read strictly, and the count of
 * all bytes that a model reads so. Which file a name means, and whether it may be read, is the caller's decision; here a name
 * is text, and one that could lead out of the model's folder is refused.
 * Source: onnx/docs/ExternalData.md.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Limits } from './limits.ts'
import type { Message } from './schema.ts'

/**
 * Gives exactly `length` bytes from byte `offset` of `file`, a relative path with `/` below the model's folder and without
 * `..`. Throws `refused` where the file cannot be read or is shorter. `what` names the tensor, for messages.
 */
export type ExternalReader = (file: string, offset: number, length: number, what: string) => Uint8Array

/** `DataLocation.EXTERNAL`. */
const EXTERNAL = 1
const KEYS: ReadonlySet<string> = new Set(['location', 'offset', 'length', 'checksum'])
const LONGEST_PATH = 4096

/** True for a tensor whose bytes are outside the file. Throws `refused` where its fields contradict each other. */
export function isExternal(tensor: Message<'TensorProto'>, what: string): boolean {
  const { dataLocation = 0, externalData } = tensor
  if (dataLocation !== 0 && dataLocation !== EXTERNAL)
    throw new DyadicError('refused', `${what} has data location ${dataLocation}, which ONNX does not define`)
  if (dataLocation !== EXTERNAL && externalData.length > 0)
    throw new DyadicError('refused', `${what} lists external data, but says that its data is in the file`)
  return dataLocation === EXTERNAL
}

/**
 * The bytes of an external tensor that needs `needed` of them. Throws `refused` for entries that are missing, unknown,
 * repeated or impossible, `unsupported` where the caller gives no `read`.
 */
export function readExternal(
  tensor: Message<'TensorProto'>,
  needed: number,
  what: string,
  read: ExternalReader | undefined,
): Uint8Array {
  const entries = new Map<string, string>()
  for (const { key = '', value = '' } of tensor.externalData) {
    if (!KEYS.has(key)) throw refuse(what, `has the entry ${quoted(key)}, which ONNX does not define`)
    if (entries.has(key)) throw refuse(what, `gives ${quoted(key)} twice`)
    entries.set(key, value)
  }
  const file = checkedPath(entries.get('location') ?? '', what)
  const offset = count(entries.get('offset') ?? '0', 'offset', what)
  const length = count(entries.get('length') ?? String(needed), 'length', what)
  if (length !== needed)
    throw refuse(what, `has ${length} bytes in ${quoted(file)}; its shape and element type need ${needed}`)
  if (!Number.isSafeInteger(offset + length))
    throw refuse(what, `begins at byte ${offset} of ${quoted(file)}: no file is that long`)
  if (read === undefined)
    throw new DyadicError(
      'unsupported',
      `${what} keeps its data outside the model file (external data, file ${quoted(file)}), and no such file was given; ` +
        'give its folder, or save the model as one file with onnx.save_model(model, path, save_as_external_data=False)',
    )
  return read(file, offset, length, what)
}

/** `read`, refusing to give more bytes in all than the limit. */
export function limitedReader(read: ExternalReader | undefined, limits: Limits): ExternalReader | undefined {
  if (read === undefined) return undefined
  let total = 0
  return (file, offset, length, what) => {
    total += length
    if (total > limits.externalBytes)
      throw new DyadicError(
        'limit',
        `the tensors outside the model file have more than ${limits.externalBytes} bytes together (limit "externalBytes"), reached at ${what}`,
      )
    return read(file, offset, length, what)
  }
}

/** A path below the model's folder, without empty, `.` and `..` steps. */
function checkedPath(path: string, what: string): string {
  const reason =
    path === ''
      ? 'names no file'
      : path.length > LONGEST_PATH
        ? `names a file by ${path.length} characters`
        : /^([/\\]|[A-Za-z]:)/.test(path)
          ? 'names an absolute path'
          : path.includes('\\')
            ? 'names a path with a backslash'
            : // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
              /[\x00-\x1f\x7f]/.test(path)
              ? 'names a path with a control character'
              : path.split('/').includes('..')
                ? 'names a path that leaves the folder of the model'
                : undefined
  if (reason !== undefined)
    throw refuse(what, `${reason}: ${quoted(path)}; external data must lie in the folder of the model or below it`)
  const steps = path.split('/').filter((step) => step !== '.')
  if (steps.length === 0 || steps.includes('')) throw refuse(what, `names ${quoted(path)}, which is no file`)
  return steps.join('/')
}

function count(text: string, key: string, what: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw refuse(what, `has the ${key} ${quoted(text)}; an integer from 0 to 2^53 − 1 in decimal digits is needed`)
  return value
}

function refuse(what: string, problem: string): DyadicError {
  return new DyadicError('refused', `the external data of ${what} ${problem}`)
}
