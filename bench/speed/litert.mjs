/**
 * LiteRT.js as a contestant in this process: its WebAssembly engine (XNNPACK), one thread.
 *
 * The package has a loader for pages and workers only. It runs here with `importScripts` given a meaning for files. Where
 * the engine knows relaxed SIMD the build with it is taken, as the package does in a browser; else the build without.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'

const folder = fileURLToPath(new URL('../peers/node_modules/@litertjs/core', import.meta.url))

/** A function that consists of `i32x4.relaxed_trunc_f32x4_s`. */
const relaxed = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7b, 1, 0x7b, 3, 2, 1, 0],
  ...[0x0a, 9, 1, 7, 0, 0x20, 0, 0xfd, 0x81, 2, 0x0b],
)

/** @type {Promise<typeof import('@litertjs/core')> | undefined} */
let engine

async function loadEngine() {
  const name = WebAssembly.validate(relaxed) ? 'litert_wasm_internal' : 'litert_wasm_compat_internal'
  const wasm = join(folder, 'wasm')
  const runFile = (path) => runInThisContext(readFileSync(String(path), 'utf8'), { filename: String(path) })
  Object.assign(globalThis, {
    self: globalThis,
    require: createRequire(import.meta.url),
    __dirname: dirname(wasm),
    __filename: wasm,
    importScripts: runFile,
    Module: {
      wasmBinary: readFileSync(join(wasm, `${name}.wasm`)),
      locateFile: (file) => join(wasm, file),
      print: () => undefined,
      printErr: () => undefined,
    },
  })
  const core = await import('../peers/node_modules/@litertjs/core/dist/index.js')
  // It looks for a GPU first and says on the console that Node has none.
  const { error, warn } = console
  Object.assign(console, { error: () => undefined, warn: () => undefined })
  try {
    await core.loadLiteRt(join(wasm, `${name}.js`))
  } finally {
    Object.assign(console, { error, warn })
  }
  return core
}

/**
 * Loads one network. Load the other engines of the process before: this one leaves `self` and `importScripts` behind, by
 * which they would take Node for a worker.
 * @param {Uint8Array} tflite
 * @returns {Promise<{ run(data: Float32Array): Promise<void>, elements: number, release(): void }>} `run` takes the values
 * of the one input, copies them in and computes; the results stay where the engine has them.
 */
export async function createLiteRt(tflite) {
  engine ??= loadEngine()
  const { loadAndCompile, Tensor } = await engine
  const model = await loadAndCompile(tflite, { accelerator: 'wasm' })
  const [{ shape }] = model.getInputDetails()
  const dims = [...shape]
  return {
    elements: dims.reduce((product, size) => product * size, 1),
    async run(data) {
      const input = new Tensor(data, dims)
      for (const output of await model.run([input])) output.delete()
      input.delete()
    },
    release: () => model.delete?.(),
  }
}
