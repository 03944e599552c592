/** The page of the stories as static files, with the step program and the tokenizer's pieces beside it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePage } from '../static-page.mjs'

/** @param {string} out @param {{ wasm: Uint8Array, pieces: readonly object[] }} content */
export async function buildPage(out, { wasm, pieces }) {
  await bundlePage(fileURLToPath(new URL('.', import.meta.url)), out, ['page.mjs'])
  await writeFile(join(out, 'step.wasm'), wasm)
  await writeFile(join(out, 'pieces.json'), JSON.stringify(pieces))
}
