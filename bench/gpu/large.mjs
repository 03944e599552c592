/**
 * The large networks on the machine that has the GPU: compiled there from their plans, in processes of their own, then run by
 * hash and time. Their models are made again for onnxruntime-web too, with the batch in every shape.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { largeModels } from './large-models.mjs'

const compileOne = fileURLToPath(new URL('compile-large.mjs', import.meta.url))

/**
 * Programs and facts of all networks in a new folder.
 * @param {string} folder Of prepare-large.mjs. @returns {Promise<string>}
 */
export async function compileLarge(folder) {
  const target = mkdtempSync(join(tmpdir(), 'large-'))
  const run = promisify(execFile)
  await Promise.all(
    Object.keys(largeModels).map(async (name) => {
      const { stderr } = await run(process.execPath, ['--max-old-space-size=8192', compileOne, folder, target, name])
      console.error(stderr.trim())
    }),
  )
  return target
}

/** The models as peer.mjs wants them. */
export const largePeers = Object.entries(largeModels).map(([name, bytes]) => ({ name, bytes }))
