/** The random-weight networks and single operators that `../shared/peers-bench` makes: where they are, how to get them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the models are looked for unless `--models` says otherwise. */
export const defaultModels = fileURLToPath(
  new URL('../../node_modules/.cache/dyadic/peers-bench/models', import.meta.url),
)

/**
 * The bytes of a model.
 * @param {string} folder @param {string} name
 * @returns {Uint8Array}
 */
export function readModel(folder, name) {
  const path = join(folder, name)
  if (!existsSync(path))
    throw new Error(
      `${path} is missing. To make the models: copy ../shared/peers-bench to a folder, there run \`npm install\`, ` +
        '`python3 gen.py ops`, `python3 gen.py nets`, `node calib.mjs`, `python3 gen.py quant` and `node tflite.mjs`, ' +
        'and give its folder "models" by --models',
    )
  return new Uint8Array(readFileSync(path))
}
