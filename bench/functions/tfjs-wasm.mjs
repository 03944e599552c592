/** tfjs with its WebAssembly backend (SIMD, one thread) as a contestant: installed in bench/peers like the others. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

const require = createRequire(new URL('../peers/package.json', import.meta.url))
const tf = require('@tensorflow/tfjs-core')
const backend = require('@tensorflow/tfjs-backend-wasm')

export const tfjsVersion = backend.version_wasm

/** A vector that lies in the backend's memory, and its softmax without reading back. */
export async function createTfjsSoftmax(values) {
  backend.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/wasm-out/`)
  backend.setThreadsCount(1)
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend of tfjs does not start')
  await tf.ready()
  const vector = tf.tensor1d(values)
  return {
    run: () => tf.softmax(vector).dispose(),
    result: () => tf.tidy(() => tf.softmax(vector).dataSync()),
    release: () => vector.dispose(),
    threads: () => backend.getThreadsCount(),
    simd: () => tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'),
  }
}
