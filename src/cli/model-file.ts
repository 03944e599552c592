/**
 * Models as the commands take them: an ONNX file, or a program that dyadic compiled, told apart by their first bytes. Every
 * complaint about a file begins with its name.
 */
import { createHash } from 'node:crypto'
import { nodeFiles } from '../data/node-files.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { defaultWorkLimits, type WorkLimits } from '../graph/work-limits.ts'
import { findUnsupported } from '../lower/lower.ts'
import { type Limits, parseOnnx } from '../onnx/index.ts'
import type { ProgramManifest } from '../program/manifest.ts'
import { verifyModule } from '../program/verify.ts'
import { type PreparedNetwork, prepare } from '../quantize/prepare.ts'
import { loadSync, type Network } from '../runtime/index.ts'
import { openExternalFiles } from './external-data.ts'
import type { OptionValues } from './options.ts'
import { readManifest } from './read-manifest.ts'

/** Options that say what an ONNX file leaves open (sizes of symbolic axes, inputs that are constants) and may ask for. */
export const SHAPE_OPTIONS = ['batch', 'axis', 'bind', 'limits'] as const
type ShapeOption = (typeof SHAPE_OPTIONS)[number]

const LARGEST_MODEL = 2 ** 31 - 1
const WASM_MAGIC = [0x00, 0x61, 0x73, 0x6d]

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Runs `work` and puts the file's name before whatever dyadic complains about. */
export function about<Result>(path: string, work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof DyadicError) || cause.message.startsWith(quoted(path))) throw cause
    throw new DyadicError(cause.code, `${quoted(path)}: ${cause.message}`, { cause })
  }
}

/** The bytes of a model file. Throws `refused` when it cannot be read or is empty. */
export async function readModel(path: string): Promise<Uint8Array> {
  const bytes = await nodeFiles.read(path, LARGEST_MODEL)
  if (bytes.length === 0) throw new DyadicError('refused', `${quoted(path)}: the file is empty`)
  return bytes
}

/** Whether a file is meant as a WebAssembly module: by its bytes, or by its name when they say nothing. */
export function isProgram(path: string, bytes: Uint8Array): boolean {
  return WASM_MAGIC.every((byte, index) => bytes[index] === byte) || /\.wasm$/i.test(path)
}

export interface OnnxModel {
  readonly bytes: Uint8Array
  /** As the file has it. */
  readonly graph: Graph
  readonly prepared: PreparedNetwork
  /** What has no integer form, as readable lines. */
  readonly unsupported: readonly string[]
}

/**
 * Reads the bytes of an ONNX file and prepares the network; external data is read from files below the model's folder.
 * Throws as `parseOnnx` and `prepare`.
 */
export function parseModel(path: string, bytes: Uint8Array, shapes: OptionValues<ShapeOption>): OnnxModel {
  return about(path, () => {
    const { reading, work } = splitLimits(shapes.limits)
    const files = openExternalFiles(path)
    const { batch, axis: axes, bind } = shapes
    let graph: Graph
    try {
      graph = parseOnnx(bytes, { batch, axes, bind, limits: reading, external: files.read })
    } finally {
      files.close()
    }
    const prepared = prepare(graph, work)
    return { bytes, graph, prepared, unsupported: findUnsupported(prepared.compiled) }
  })
}

/** The limits of the reader, and those of the passes after it. */
function splitLimits(given: OptionValues<'limits'>['limits'] = {}): {
  reading: Partial<Limits>
  work: Partial<WorkLimits>
} {
  const isWork = ([name]: [string, number]): boolean => Object.hasOwn(defaultWorkLimits, name)
  const entries = Object.entries(given)
  return {
    reading: Object.fromEntries(entries.filter((entry) => !isWork(entry))),
    work: Object.fromEntries(entries.filter(isWork)),
  }
}

/** The complaint about a network that cannot be compiled, with everything that stands in the way. */
export function unsupportedError(path: string, unsupported: readonly string[]): DyadicError {
  return new DyadicError(
    'unsupported',
    `${quoted(path)} cannot be compiled to integers:\n  ${unsupported.join('\n  ')}`,
  )
}

/** An ONNX file that can be compiled. Throws `unsupported` with everything that stands in the way. */
export async function openCompilable(path: string, shapes: OptionValues<ShapeOption>): Promise<OnnxModel> {
  const bytes = await readModel(path)
  const model = parseModel(path, bytes, shapes)
  if (model.unsupported.length > 0) throw unsupportedError(path, model.unsupported)
  return model
}

/** A program in memory with everything that its manifest says. */
export interface OpenProgram {
  readonly network: Network
  readonly manifest: ProgramManifest
}

/** Instantiates a program that has passed its checks. Throws `refused` when the runtime does not take it. */
export function loadProgram(path: string, bytes: Uint8Array): OpenProgram {
  const manifest = about(path, () => readManifest(bytes))
  try {
    return { network: loadSync(bytes), manifest }
  } catch (cause) {
    throw new DyadicError('refused', `${quoted(path)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** A program that may be executed. Throws `verification` naming the checks that fail. */
export function openProgram(path: string, bytes: Uint8Array): OpenProgram {
  const failed = verifyModule(bytes).checks.filter(({ ok, detail }) => !ok && !detail.startsWith('not checked'))
  if (failed.length > 0)
    throw new DyadicError(
      'verification',
      `${quoted(path)} is not an intact dyadic program:\n  ${failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n  ')}`,
    )
  return loadProgram(path, bytes)
}
