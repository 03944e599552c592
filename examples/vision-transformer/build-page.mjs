/** The page as static files, with the module and a few pictures beside it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePage } from '../static-page.mjs'

/** Pictures on the page. */
export const SHOWN = 12

/**
 * @param {string} out @param {Uint8Array} wasm
 * @param {import('../../dist/data/index.js').DataSet} pictures Of which the first are shown.
 */
export async function buildPage(out, wasm, pictures) {
  await bundlePage(fileURLToPath(new URL('.', import.meta.url)), out, ['page.mjs', 'classify-worker.mjs'])
  await writeFile(join(out, 'vision.wasm'), wasm)
  const records = await Promise.all(
    Array.from({ length: Math.min(SHOWN, pictures.length) }, async (_, index) => [
      pictures.label(index),
      ...(await pictures.read(index)),
    ]),
  )
  await writeFile(join(out, 'pictures.bin'), Uint8Array.from(records.flat()))
}
