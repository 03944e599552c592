/**
 * onnxruntime-web as a contestant in this process: its WebAssembly provider, every graph optimisation on, no proxy.
 *
 * The number of threads belongs to the engine and is fixed by the first network of a process.
 */
import * as ort from 'onnxruntime-web/wasm'

const typeNames = new Map([
  [Float32Array, 'float32'],
  [Uint8Array, 'uint8'],
  [Int8Array, 'int8'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
])

/** @type {number | undefined} */
let engineThreads

/**
 * Loads one network.
 * @param {Uint8Array} onnxBytes
 * @param {{ threads?: number }} [options]
 * @returns {Promise<{
 *   inputNames: readonly string[],
 *   run(feeds: Record<string, { data: ArrayBufferView, dims: number[] }>): Promise<Record<string, { data: ArrayBufferView, dims: readonly number[] }>>,
 *   release(): Promise<void>,
 * }>} `run` wraps the arrays without a copy; a fed object is wrapped once and then remembered, so feed the same object
 * again with new content rather than a new object when timing.
 */
export async function createOrtWeb(onnxBytes, { threads = 1 } = {}) {
  if (engineThreads !== undefined && engineThreads !== threads)
    throw new Error(`onnxruntime-web already runs with ${engineThreads} threads in this process, not ${threads}`)
  engineThreads = threads
  ort.env.wasm.numThreads = threads
  ort.env.wasm.proxy = false
  ort.env.logLevel = 'error'
  const session = await ort.InferenceSession.create(onnxBytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  })
  const wrapped = new WeakMap()
  const wrap = (feed) => {
    let tensor = wrapped.get(feed)
    if (tensor === undefined) {
      tensor = new ort.Tensor(typeNames.get(feed.data.constructor), feed.data, feed.dims)
      wrapped.set(feed, tensor)
    }
    return tensor
  }
  return {
    inputNames: session.inputNames,
    run: (feeds) => {
      const tensors = {}
      for (const name in feeds) tensors[name] = wrap(feeds[name])
      return session.run(tensors)
    },
    release: () => session.release(),
  }
}

/** The version that is installed, for reports. */
export const ortWebVersion = ort.env.versions.web ?? ort.env.versions.common
