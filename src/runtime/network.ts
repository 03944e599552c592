/**
 * The rim of a compiled program: arrays by name in, one call of `run`, arrays by name out. All arithmetic is here:
 * integer = clamp(floor(x / scale + zeroPoint + 0.5)) on the way in (rule R1, round half up, in doubles), real =
 * (integer − zeroPoint) × scale on the way out. Imports nothing; errors are plain `Error`s.
 */

/** How a port's integers are stored: unsigned or signed bytes, signed 16-bit or 32-bit integers. */
export type PortFormat = 'u8' | 's8' | 's16' | 's32'

/** The typed array of a format: `Uint8Array`, `Int8Array`, `Int16Array`, `Int32Array`. */
export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array

/** One input or output. Real value = scale[c] × (integer − zeroPoint[c]). */
export interface Port {
  readonly name: string
  readonly shape: readonly number[]
  readonly format: PortFormat
  /** One entry, or one per index of `channelAxis`. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  /** Integers that an input may hold, where they are fewer than the format's; others are refused. */
  readonly range?: { readonly low: number; readonly high: number }
  /** Axis of `shape` that `scale` and `zeroPoint` run along; meaningless when they have one entry. */
  readonly channelAxis: number
  /** Address in the program's memory, in bytes; a multiple of the element's size. */
  readonly offset: number
  /** Number of elements. */
  readonly count: number
}

/** What the compiler wrote into the module's `dyadic.manifest` section. Other fields may follow. */
export interface Manifest {
  readonly schema: 1
  readonly name: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/** A program in memory. Not re-entrant and not shared between threads: load the module once per worker. */
export interface Network {
  readonly manifest: Manifest
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /**
   * One inference on real values: every input by name, `count` elements in row-major `shape`. A `Float32Array`,
   * `Float64Array` or plain array holds real values and is quantised; a `Uint8Array` (or `Uint8ClampedArray`) for a u8
   * input, an `Int8Array` for s8, an `Int16Array` for s16 or an `Int32Array` for s32 holds stored integers and is taken as it
   * is. A `BigInt64Array` counts as real values that are whole, as ONNX has indices. Outputs are copies. Throws an `Error` for
   * a missing or unknown name, a wrong length or type, NaN, and an integer outside the port's range.
   */
  run(inputs: Readonly<Record<string, ArrayLike<number> | BigInt64Array>>): Record<string, Float32Array>
  /** One inference on stored integers only: inputs must have the port's typed array. Outputs are copies. */
  runInteger(inputs: Readonly<Record<string, IntegerArray | Uint8ClampedArray>>): Record<string, IntegerArray>
}

/** Per format: array type, range, and the array types (by class name) that hold its stored integers. */
const FORMATS = {
  u8: { array: Uint8Array, low: 0, high: 255, classes: ['Uint8Array', 'Uint8ClampedArray'] },
  s8: { array: Int8Array, low: -128, high: 127, classes: ['Int8Array'] },
  s16: { array: Int16Array, low: -32768, high: 32767, classes: ['Int16Array'] },
  s32: { array: Int32Array, low: -(2 ** 31), high: 2 ** 31 - 1, classes: ['Int32Array'] },
} as const

const REAL_CLASSES = ['Float32Array', 'Float64Array', 'BigInt64Array', 'Array']

const quote = (name: unknown) => JSON.stringify(name)
const list = (ports: readonly Port[]) => ports.map((port) => quote(port.name)).join(', ')

/** A port and its elements in the program's memory. Throws when the manifest contradicts itself or the memory. */
function bind(port: Port, memory: ArrayBuffer) {
  const { format, shape, scale, zeroPoint, channelAxis, offset, count } = port
  const { array } = FORMATS[format]
  if (
    !shape.every((size) => size >= 1) ||
    shape.reduce((product, size) => product * size, 1) !== count ||
    scale.length !== zeroPoint.length ||
    (scale.length !== 1 && scale.length !== shape[channelAxis])
  )
    throw new Error('contradictory shape, count or scale')
  const inner = scale.length === 1 ? count : shape.slice(channelAxis + 1).reduce((product, size) => product * size, 1)
  return { port, inner, values: new array(memory, offset, count) as IntegerArray }
}

type BoundPort = ReturnType<typeof bind>

function refuseElement(name: string, index: number, value: unknown, reason = 'not a number'): never {
  throw new Error(`input ${quote(name)}: element ${index} is ${value}, ${reason}`)
}

function quantize({ port, inner, values }: BoundPort, reals: ArrayLike<number> | BigInt64Array): void {
  const { scale, zeroPoint, count } = port
  const { low, high } = FORMATS[port.format]
  for (let index = 0, channel = 0; index < count; channel = (channel + 1) % scale.length) {
    const step = scale[channel]
    const zero = zeroPoint[channel]
    for (const end = index + inner; index < end; index++) {
      const real = Number(reals[index])
      const shifted = real / step + zero + 0.5
      if (shifted >= low && shifted < high) values[index] = Math.floor(shifted)
      else if (Number.isNaN(shifted)) refuseElement(port.name, index, real)
      else values[index] = shifted < low ? low : high
    }
  }
}

function dequantize({ port, inner, values }: BoundPort): Float32Array {
  const { scale, zeroPoint, count } = port
  const reals = new Float32Array(count)
  for (let index = 0, channel = 0; index < count; channel = (channel + 1) % scale.length) {
    const step = scale[channel]
    const zero = zeroPoint[channel]
    for (const end = index + inner; index < end; index++) reals[index] = (values[index] - zero) * step
  }
  return reals
}

function writeInput(bound: BoundPort, source: ArrayLike<number> | BigInt64Array, realsAllowed: boolean): void {
  const { name, format, count, shape, range } = bound.port
  const { classes } = FORMATS[format]
  // By name of the class, because `instanceof` fails for arrays of another frame or realm.
  const found = Object.prototype.toString.call(source).slice(8, -1)
  const stored = (classes as readonly string[]).includes(found)
  if (!stored && !(realsAllowed && REAL_CLASSES.includes(found)))
    throw new Error(
      `input ${quote(name)} is ${found}; expected ${classes[0]} of stored integers` +
        (realsAllowed ? ', or Float32Array, Float64Array or Array of real values' : ''),
    )
  if (source.length !== count)
    throw new Error(`input ${quote(name)} has ${source.length} elements; expected ${count}, shape [${shape}]`)
  if (stored) bound.values.set(source as ArrayLike<number>)
  else {
    // Only plain arrays can hold text or holes; `entries` visits holes too.
    if (Array.isArray(source))
      for (const [index, value] of source.entries()) if (typeof value !== 'number') refuseElement(name, index, value)
    quantize(bound, source)
  }
  if (range) {
    const { low, high } = range
    const index = bound.values.findIndex((value) => value < low || value > high)
    if (index >= 0) refuseElement(name, index, source[index], `outside ${low} to ${high}`)
  }
}

/** A network on an instance that exports `memory` (of fixed size) and `run`. Throws when the manifest does not fit it. */
export function makeNetwork(manifest: Manifest, memory: ArrayBuffer, execute: () => void): Network {
  const bindAll = (ports: readonly Port[]) =>
    ports.map((port) => {
      try {
        return bind(port, memory)
      } catch (cause) {
        throw new Error(`the manifest's port ${quote(port?.name)} does not fit the program: ${cause}`, { cause })
      }
    })
  const inputs = bindAll(manifest.inputs)
  const outputs = bindAll(manifest.outputs)

  const infer = <Result>(
    given: Readonly<Record<string, ArrayLike<number> | BigInt64Array>>,
    realsAllowed: boolean,
    read: (output: BoundPort) => Result,
  ): Record<string, Result> => {
    const unknown = Object.keys(given).find((name) => !inputs.some(({ port }) => port.name === name))
    const missing = inputs.find(({ port }) => !Object.hasOwn(given, port.name))
    if (unknown !== undefined || missing)
      throw new Error(
        `${unknown === undefined ? `input ${quote(missing?.port.name)} is missing` : `no input ${quote(unknown)}`}; ` +
          `expected ${list(manifest.inputs)}`,
      )
    for (const bound of inputs) writeInput(bound, given[bound.port.name], realsAllowed)
    execute()
    return Object.fromEntries(outputs.map((output) => [output.port.name, read(output)]))
  }

  return {
    manifest,
    inputs: manifest.inputs,
    outputs: manifest.outputs,
    run: (given) => infer(given, true, dequantize),
    runInteger: (given) => infer(given, false, ({ values }) => values.slice()),
  }
}
