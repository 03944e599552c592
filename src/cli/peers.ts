/**
 * Other runtimes beside a program, on the same network in floating point: used where the user has installed them, never
 * fetched. Both take and give float32 arrays, one thread each, and take turns round by round, so that whatever else the
 * machine does falls on both.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DyadicError, quoted } from '../error.ts'

export const peerNames = ['onnxruntime-web', 'onnxruntime-node'] as const
export type PeerName = (typeof peerNames)[number]

/** What is loaded of each. */
const SPECIFIERS: Readonly<Record<PeerName, string>> = {
  'onnxruntime-web': 'onnxruntime-web/wasm',
  'onnxruntime-node': 'onnxruntime-node',
}

/** Rounds, and the least milliseconds of one. */
const ROUNDS = 9
const ROUND_MS = 60
const WARM_UP_MS = 500

/** The part of ONNX Runtime's interface that is used. */
interface OnnxRuntime {
  readonly env: { readonly wasm?: Record<string, unknown>; logLevel?: string }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: object): Promise<{ run(feeds: Record<string, unknown>): Promise<unknown> }>
  }
}

export interface Peer {
  readonly name: PeerName
  readonly version: string
  /** One inference on zeros. */
  run(): Promise<unknown>
}

/** What a peer is given: the inputs of the network by name. */
export interface PeerInput {
  readonly name: string
  /** In ONNX order. */
  readonly shape: readonly number[]
}

/**
 * A network in a peer that is installed where `folder` is. Throws `refused` with the command that installs it, or with the
 * peer's own words when it does not take the network.
 */
export async function openPeer(
  name: PeerName,
  folder: string,
  onnx: Uint8Array,
  inputs: readonly PeerInput[],
): Promise<Peer> {
  const { resolve } = createRequire(join(folder, 'resolve.js'))
  let file: string
  try {
    file = resolve(SPECIFIERS[name])
  } catch (cause) {
    throw new DyadicError(
      'refused',
      `${name} is not installed in ${quoted(folder)} or above it; npm install --no-save ${name} installs it there`,
      { cause },
    )
  }
  try {
    const loaded = (await import(pathToFileURL(file).href)) as OnnxRuntime & { default?: OnnxRuntime }
    const { env, Tensor, InferenceSession } = loaded.default ?? loaded
    env.logLevel = 'error'
    if (env.wasm) Object.assign(env.wasm, { numThreads: 1, proxy: false })
    const session = await InferenceSession.create(onnx, {
      executionProviders: [name === 'onnxruntime-web' ? 'wasm' : 'cpu'],
      ...{ graphOptimizationLevel: 'all', logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1 },
    })
    const feeds = Object.fromEntries(
      inputs.map(({ name: input, shape }) => [
        input,
        new Tensor('float32', new Float32Array(shape.reduce((product, size) => product * size, 1)), shape),
      ]),
    )
    const run = () => session.run(feeds)
    await run()
    return { name, version: await versionOf(file, name), run }
  } catch (cause) {
    throw new DyadicError(
      'refused',
      `${name} does not run this network: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

/** The version in the nearest package.json above a file of the package. */
async function versionOf(file: string, name: PeerName): Promise<string> {
  for (let folder = join(file, '..'); folder !== join(folder, '..'); folder = join(folder, '..')) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}')
    const { name: found, version } = JSON.parse(text) as { name?: string; version?: string }
    if (found === name && version !== undefined) return version
  }
  return 'of unknown version'
}

/** Median milliseconds of calls that take turns. */
export async function timeInTurns(
  calls: readonly (() => unknown)[],
  clock: () => number,
  onRound: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<number[]> {
  const burst = async (call: () => unknown, count: number): Promise<number> => {
    const start = clock()
    for (let index = 0; index < count; index++) {
      const pending = call()
      if (pending instanceof Promise) await pending
    }
    return clock() - start
  }
  const counts: number[] = []
  for (const call of calls) {
    const start = clock()
    let once = Infinity
    do once = Math.min(once, await burst(call, 1))
    while (clock() - start < WARM_UP_MS)
    counts.push(Math.max(1, Math.ceil(ROUND_MS / Math.max(once, 0.001))))
  }
  const times = calls.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const turn of calls.keys()) {
      const index = (round + turn) % calls.length
      times[index].push((await burst(calls[index], counts[index])) / counts[index])
    }
    onRound(round + 1, ROUNDS)
    await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
  }
  return times.map((list) => list.sort((a, b) => a - b)[(ROUNDS - 1) / 2])
}
