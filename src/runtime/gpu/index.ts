/**
 * `dyadic/runtime/gpu`: runs a `.gpu` program on WebGPU, in browsers and in Node with the package `webgpu`. Integers in,
 * integers out, the same bytes as the WebAssembly module of the same network. Imports nothing.
 */
import type { IntegerArray, PortFormat } from '../network.ts'
import { checkBatch } from './check-header.ts'
import { type DeviceChoice, openDevice } from './device.ts'
import { GpuError, guarded } from './failure.ts'
import type { GpuLevel, GpuPort } from './program.ts'
import { readGpuProgram } from './read-program.ts'
import { type RefusedShader, testedProgram } from './self-test.ts'
import { createSession, type GpuSession } from './session.ts'
import { checkTiles, type GpuTiles } from './tiles.ts'

export { type DeviceChoice, LEVELS, openDevice } from './device.ts'
export { GpuError, type GpuFailure } from './failure.ts'
export type { GpuLevel, GpuPort } from './program.ts'
export type { RefusedShader } from './self-test.ts'
export { checkTiles, type GpuTiles, type TileBand, type TileRule } from './tiles.ts'

/** How a GPU program is loaded: where it runs, on what level, for how many samples at once. */
export interface GpuOptions extends DeviceChoice {
  /** Images per run, 1 where absent. */
  readonly batch?: number
  /** The fastest level that may be used. The bytes are the same at each. */
  readonly level?: GpuLevel
  /** Which shader serves which shape, before what dyadic itself thinks: a table of `dyadic bench --tune-gpu`. Changes no byte. */
  readonly tiles?: GpuTiles
}

/** A program on a device, ready to run; `destroy` gives its buffers back. */
export interface GpuNetwork {
  readonly name: string
  readonly inputs: readonly GpuPort[]
  readonly outputs: readonly GpuPort[]
  readonly batch: number
  /** The fastest level that a shader of this network runs on. */
  readonly level: GpuLevel
  /** Shaders that did not compile here or whose values were wrong; slower ones took their place. */
  readonly refused: readonly RefusedShader[]
  /** Vendor, architecture and description, as far as the adapter tells. */
  readonly adapter: string
  /** How many dispatches a run has. */
  readonly dispatches: number
  /** One run of `batch` images on stored integers: arrays of `batch × count` elements. Runs queue up. Throws {@link GpuError}. */
  runInteger(inputs: Readonly<Record<string, IntegerArray>>): Promise<Record<string, IntegerArray>>
  /** For callers that bring their own command buffers. */
  readonly session: GpuSession
  destroy(): void
}

const ARRAYS = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array } as const satisfies Record<
  PortFormat,
  unknown
>
const MAP_READ = 1
const COPY_TARGET = 0x08
/** Milliseconds in which a device that went away says why. */
const PATIENCE = 100

const quote = (name: unknown): string => JSON.stringify(name)

interface Prepared {
  readonly session: GpuSession
  readonly readback: GPUBuffer
  readonly refused: readonly RefusedShader[]
}

/** Images one behind the other → images at multiples of `imageBytes`; the given bytes where they lie so already. */
function spread(port: GpuPort, source: IntegerArray, batch: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
  const one = bytes.length / batch
  if (one === port.imageBytes) return bytes
  const all = new Uint8Array(port.imageBytes * batch)
  for (let image = 0; image < batch; image++)
    all.set(bytes.subarray(image * one, (image + 1) * one), image * port.imageBytes)
  return all
}

function gather(port: GpuPort, bytes: Uint8Array, batch: number): IntegerArray {
  const array = new ARRAYS[port.format](port.count * batch)
  const target = new Uint8Array(array.buffer)
  const one = target.length / batch
  for (let image = 0; image < batch; image++)
    target.set(bytes.subarray(image * port.imageBytes, image * port.imageBytes + one), image * one)
  return array
}

function checkInputs(ports: readonly GpuPort[], given: Readonly<Record<string, IntegerArray>>, batch: number): void {
  const unknown = Object.keys(given).find((name) => !ports.some((port) => port.name === name))
  if (unknown !== undefined)
    throw new Error(`no input ${quote(unknown)}; expected ${ports.map(({ name }) => quote(name)).join(', ')}`)
  for (const port of ports) {
    const values = Object.hasOwn(given, port.name) ? given[port.name] : undefined
    const wanted = ARRAYS[port.format].name
    const found = Object.prototype.toString.call(values).slice(8, -1)
    if (values === undefined || found !== wanted || values.length !== port.count * batch)
      throw new Error(
        `input ${quote(port.name)} wants ${wanted} of ${port.count * batch} integers, got ${values === undefined ? 'nothing' : `${found} of ${values.length}`}`,
      )
    if (port.range === undefined) continue
    const { low, high } = port.range
    const outside = values.findIndex((value) => value < low || value > high)
    if (outside >= 0)
      throw new Error(
        `input ${quote(port.name)} holds ${values[outside]} at ${outside}; its integers lie in ${low} … ${high}`,
      )
  }
}

/**
 * Reads a program, opens a device and prepares everything a run needs. Throws {@link GpuError} with the reason; nothing is
 * left on the device then.
 */
export async function load(source: ArrayBuffer | Uint8Array, options: GpuOptions = {}): Promise<GpuNetwork> {
  const program = readGpuProgram(source instanceof Uint8Array ? source : new Uint8Array(source))
  const { header } = program
  const { batch = 1 } = options
  if (!Number.isSafeInteger(batch) || batch < 1) throw new Error(`a batch is a whole number of images, not ${batch}`)
  checkBatch(header, batch)
  const tiles = options.tiles === undefined ? undefined : checkTiles(options.tiles)
  const opened = await openDevice(options)
  const { device, info } = opened
  let lost: GPUDeviceLostInfo | undefined
  const gone = device.lost.then((reason) => {
    lost = reason
  })
  const lostError = (): GpuError =>
    new GpuError('device-lost', `the GPU device was lost: ${lost?.message || lost?.reason}`)
  /** The reason is the device's where it went away: losing it rejects everything else first, the reason follows. */
  const failureOf = async (cause: unknown): Promise<unknown> => {
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, PATIENCE))])
    return lost === undefined ? cause : lostError()
  }
  const first = opened.levels.indexOf(options.level ?? opened.levels[0])
  const levels = opened.levels.slice(first)
  const outputBytes = header.outputs.reduce((total, port) => total + port.imageBytes * batch, 0)
  const prepare = async (): Promise<Prepared> => {
    if (first < 0)
      throw new GpuError(
        'missing-feature',
        `the device has no level ${quote(options.level)}, only ${opened.levels.join(', ')}`,
      )
    const { program: tested, refused } = await testedProgram(device, program, batch, levels, tiles)
    const readback = await guarded(device, 'make room for the outputs', () =>
      device.createBuffer({ size: Math.max(outputBytes, 16), usage: MAP_READ | COPY_TARGET }),
    )
    try {
      return { session: await createSession(device, tested, batch, levels, tiles), readback, refused }
    } catch (cause) {
      readback.destroy()
      throw cause
    }
  }
  let prepared: Prepared
  try {
    // Commands to a device that went away may never end.
    const away = gone.then(() => Promise.reject(lostError()))
    prepared = await Promise.race([prepare(), away])
  } catch (cause) {
    const failure = await failureOf(cause)
    if (opened.own) device.destroy()
    throw failure
  }
  const { session, readback, refused } = prepared

  const run = async (inputs: Readonly<Record<string, IntegerArray>>): Promise<Record<string, IntegerArray>> => {
    if (lost !== undefined) throw lostError()
    try {
      await guarded(device, 'run the GPU program', () => {
        for (const port of header.inputs)
          device.queue.writeBuffer(session.arena, session.offsetOf(port), spread(port, inputs[port.name], batch))
        const encoder = device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        session.encode(pass)
        pass.end()
        let at = 0
        for (const port of header.outputs) {
          const bytes = port.imageBytes * batch
          encoder.copyBufferToBuffer(session.arena, session.offsetOf(port), readback, at, bytes)
          at += bytes
        }
        device.queue.submit([encoder.finish()])
        return Promise.race([readback.mapAsync(MAP_READ), gone])
      })
    } catch (cause) {
      readback.unmap()
      throw await failureOf(cause)
    }
    if (lost !== undefined) throw lostError()
    const bytes = new Uint8Array(readback.getMappedRange())
    let at = 0
    const results = header.outputs.map((port) => {
      const from = at
      at += port.imageBytes * batch
      return [port.name, gather(port, bytes.subarray(from, at), batch)] as const
    })
    readback.unmap()
    return Object.fromEntries(results)
  }

  let tail: Promise<unknown> = Promise.resolve()
  let destroyed = false
  return {
    name: header.name,
    inputs: header.inputs,
    outputs: header.outputs,
    batch,
    level: levels.find((level) => session.shaders.some((shader) => shader.level === level)) ?? 'plain',
    refused,
    adapter: [info.vendor, info.architecture, info.description].filter((part) => part).join(' '),
    dispatches: header.dispatches.length,
    session,
    async runInteger(inputs) {
      if (destroyed) throw new Error(`the network ${quote(header.name)} was destroyed; load it again`)
      checkInputs(header.inputs, inputs, batch)
      const mine = tail.then(() => run(inputs))
      tail = mine.catch(() => undefined)
      return mine
    },
    destroy() {
      destroyed = true
      session.destroy()
      readback.destroy()
      if (opened.own) device.destroy()
    },
  }
}
