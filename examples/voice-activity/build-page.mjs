/** The page as static files, with the module and the samples of a recording beside it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePage } from '../static-page.mjs'

/** @param {string} out @param {Uint8Array} wasm @param {Float32Array} signal */
export async function buildPage(out, wasm, signal) {
  await bundlePage(fileURLToPath(new URL('.', import.meta.url)), out, ['page.mjs', 'voice-processor.mjs'])
  await writeFile(join(out, 'voice.wasm'), wasm)
  await writeFile(join(out, 'recording.bin'), new Uint8Array(signal.buffer, signal.byteOffset, signal.byteLength))
}
