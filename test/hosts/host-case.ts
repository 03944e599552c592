/**
 * What a host is asked to do and what it answers: compiled networks with integer inputs in, one hash per sample out.
 * A job travels as JSON (bytes in base64), so that a child process and a page can read the same thing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type IntegerArray = Uint8Array | Int8Array | Int32Array

export interface HostCase {
  readonly wasm: Uint8Array
  /** Per sample the input arrays by name, as `runInteger` takes them. */
  readonly samples: readonly Readonly<Record<string, IntegerArray>>[]
}

/** A job as it travels. */
export interface HostJob {
  readonly cases: readonly {
    readonly wasm: string
    readonly samples: readonly (readonly { name: string; type: string; base64: string }[])[]
  }[]
}

export interface HostReport {
  /** The engine with its version. */
  readonly engine: string
  /** Hex SHA-256 of the outputs' bytes per case and sample, see `hashOutputs`. */
  readonly hashes: readonly (readonly string[])[]
}

export interface HostOptions {
  /** Folder that holds the runtime's `index.js`; the built one of this repository if absent. */
  readonly runtime?: string
  /** After this long the host is ended and the run fails; 120,000 if absent. */
  readonly timeoutMilliseconds?: number
}

export const defaultTimeoutMilliseconds = 120_000

/** The folder of what hosts load, and of what starts them. */
export const benchFolder = fileURLToPath(new URL('../../bench/hosts/', import.meta.url))

/** The runtime folder of the options, checked. Throws when it has not been built. */
export function runtimeFolder(options: HostOptions): string {
  const folder = options.runtime ?? join(benchFolder, '../../dist/runtime')
  if (!existsSync(join(folder, 'index.js')))
    throw new Error(`${folder} holds no index.js; build the package first: npm run build`)
  return folder
}

function base64(view: Uint8Array | Int8Array | Int32Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}

export function encodeJob(cases: readonly HostCase[]): string {
  const job: HostJob = {
    cases: cases.map(({ wasm, samples }) => ({
      wasm: base64(wasm),
      samples: samples.map((sample) =>
        Object.entries(sample).map(([name, values]) => ({
          name,
          type: values instanceof Uint8Array ? 'Uint8Array' : values.constructor.name,
          base64: base64(values),
        })),
      ),
    })),
  }
  return JSON.stringify(job)
}

/** A host's answer; throws its error and anything that does not fit the cases. */
export function checkedReport(
  answer: { readonly engine?: unknown; readonly hashes?: unknown; readonly error?: unknown },
  cases: readonly HostCase[],
  host: string,
): HostReport {
  if (answer.error !== undefined) throw new Error(`${host}: ${String(answer.error)}`)
  const hashes = answer.hashes as string[][]
  const complete =
    typeof answer.engine === 'string' &&
    Array.isArray(hashes) &&
    hashes.length === cases.length &&
    cases.every((one, index) => hashes[index].length === one.samples.length)
  if (!complete)
    throw new Error(`${host} answered for other cases than it was given: ${JSON.stringify(answer).slice(0, 400)}`)
  return { engine: answer.engine as string, hashes }
}
