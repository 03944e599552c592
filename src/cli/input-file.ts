/**
 * From `--input name=file` to the arrays that the runtime takes. Stored integers are taken as they are, real values as
 * float64; nothing is converted that could be meant in two ways.
 */
import { nodeFiles } from '../data/node-files.ts'
import { readNpy } from '../data/npy.ts'
import { parseStrictJson } from '../data/strict-json.ts'
import { DyadicError, quoted } from '../error.ts'
import type { ProgramPort } from '../program/manifest.ts'

type InputArray = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array

const STORED = {
  u8: { array: Uint8Array, low: 0, high: 255, npy: '|u1' },
  s8: { array: Int8Array, low: -128, high: 127, npy: '|i1' },
  s16: { array: Int16Array, low: -32768, high: 32767, npy: '<i2' },
  s32: { array: Int32Array, low: -(2 ** 31), high: 2 ** 31 - 1, npy: '<i4' },
} as const

const LARGEST_INPUT = 2 ** 30

/** Which file each input comes from. Throws `usage` for unknown, repeated and missing names. */
export function assignInputs(given: readonly string[], ports: readonly ProgramPort[]): Map<string, string> {
  const names = ports.map(({ name }) => quoted(name)).join(', ')
  const files = new Map<string, string>()
  for (const text of given) {
    // The longest name that fits: names may hold "=" themselves.
    const [port] = ports.filter(({ name }) => text.startsWith(`${name}=`)).sort((a, b) => b.name.length - a.name.length)
    const bare = ports.length === 1 && !text.includes('=')
    if (port === undefined && !bare)
      throw new DyadicError('usage', `--input ${quoted(text)} names no input; write name=file, the inputs are ${names}`)
    const { name } = port ?? ports[0]
    if (files.has(name)) throw new DyadicError('usage', `--input gives ${quoted(name)} twice`)
    files.set(name, port === undefined ? text : text.slice(name.length + 1))
  }
  const missing = ports.filter(({ name }) => !files.has(name))
  if (missing.length > 0)
    throw new DyadicError(
      'usage',
      `no file for input ${missing.map(({ name, format, shape }) => `${quoted(name)} (${format} [${shape}])`).join(', ')}; ` +
        'give --input name=file.npy',
    )
  return files
}

/** Reads one input. Throws `refused` when the file does not hold what the port takes. */
export async function readInput(path: string, port: ProgramPort, integersOnly: boolean): Promise<InputArray> {
  if (!/\.(json|npy)$/i.test(path))
    throw new DyadicError(
      'refused',
      `${quoted(path)} for input ${quoted(port.name)} is neither .npy nor .json; pictures are for eval, which takes folders and data cards`,
    )
  const bytes = await nodeFiles.read(path, LARGEST_INPUT)
  return /\.json$/i.test(path) ? fromJson(path, bytes, port, integersOnly) : fromNpy(path, bytes, port, integersOnly)
}

function refuse(path: string, port: ProgramPort, what: string): DyadicError {
  return new DyadicError('refused', `${quoted(path)} for input ${quoted(port.name)}: ${what}`)
}

function sameShape(found: readonly number[], port: ProgramPort): boolean {
  return String(found) === String(port.shape) || (port.shape[0] === 1 && String(found) === String(port.shape.slice(1)))
}

function fromNpy(path: string, bytes: Uint8Array, port: ProgramPort, integersOnly: boolean): InputArray {
  const { shape, data } = readNpy(bytes, path)
  const stored = STORED[port.format]
  if (!sameShape(shape, port))
    throw refuse(
      path,
      port,
      `its shape is [${shape}]; the program wants [${port.shape}], with or without the batch axis`,
    )
  if (data instanceof stored.array) return data
  if (!integersOnly && (data instanceof Float32Array || data instanceof Float64Array)) return data
  throw refuse(
    path,
    port,
    `it holds ${data.constructor.name.replace('Array', '').toLowerCase()}; give the stored integers (${port.format}, NumPy type ${stored.npy})` +
      (integersOnly ? '' : ', or real values as float32 or float64'),
  )
}

function fromJson(path: string, bytes: Uint8Array, port: ProgramPort, integersOnly: boolean): InputArray {
  const json = parseStrictJson(bytes, `${quoted(path)} for input ${quoted(port.name)}`)
  const shape = jsonShape(json)
  const numbers = ([json] as unknown[]).flat(Number.POSITIVE_INFINITY)
  const bad = numbers.findIndex((value) => typeof value !== 'number')
  if (!Array.isArray(json) || bad >= 0)
    throw refuse(
      path,
      port,
      `it must be an array of numbers${bad >= 0 ? `; element ${bad} is ${quoted(String(JSON.stringify(numbers[bad])))}` : ''}`,
    )
  if (numbers.length !== port.count || (shape.length > 1 && !sameShape(shape, port)))
    throw refuse(
      path,
      port,
      `it has ${numbers.length} numbers of shape [${shape}]; the program wants ${port.count}, shape [${port.shape}] or flat`,
    )
  const values = numbers as number[]
  if (!integersOnly) return Float64Array.from(values)
  const { array, low, high } = STORED[port.format]
  const wrong = values.findIndex((value) => !Number.isInteger(value) || value < low || value > high)
  if (wrong >= 0)
    throw refuse(
      path,
      port,
      `element ${wrong} is ${values[wrong]}; stored integers of ${port.format} lie in ${low}..${high}`,
    )
  return array.from(values)
}

/** Lengths along the first elements; ragged arrays are found by their count. */
function jsonShape(json: unknown): number[] {
  const shape: number[] = []
  for (let value = json; Array.isArray(value); value = value[0]) shape.push(value.length)
  return shape
}
