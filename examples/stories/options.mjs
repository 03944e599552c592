/** What the command line of the stories may say, and the files that it names. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { portOf } from '../static-page.mjs'
import { readPieces } from './pieces.mjs'

export const USAGE =
  'npm run stories -- [--weights FOLDER] [--prompt TEXT] [--length TOKENS, default 256] [--out FILE.wasm] ' +
  '[--page [--port N]]'
/** The staged copy, where there is one. */
const WEIGHTS = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url))
/** The context of the model. */
const MOST = 512

/**
 * Throws an `Error` that says what is wrong.
 * @param {readonly string[]} words
 */
export function readOptions(words) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      weights: { type: 'string', default: WEIGHTS },
      prompt: { type: 'string', default: '' },
      length: { type: 'string', default: '256' },
      out: { type: 'string' },
      page: { type: 'boolean', default: false },
      port: { type: 'string', default: '8080' },
      help: { type: 'boolean', default: false },
    },
  })
  const length = Number(values.length)
  if (!Number.isInteger(length) || length < 2 || length > MOST)
    throw new RangeError(
      `--length is ${values.length}; give a whole number from 2 to ${MOST}, the context of the model`,
    )
  return { ...values, length, port: portOf(values.port) }
}

/** The checkpoint's bytes and the tokenizer's pieces of a folder. Throws an `Error` where one is missing. */
export function readModel(folder) {
  const [weights, pieces] = ['stories260K.bin', 'tok512.model'].map((name) => join(folder, name))
  for (const file of [weights, pieces])
    if (!existsSync(file))
      throw new Error(
        `${file} is missing. The model is not part of this repository: it is the 260 K model of llama2.c (tinyllamas, MIT). ` +
          'examples/stories/README.md says where it and its tokenizer come from; then name their folder with --weights',
      )
  return { weights: readFileSync(weights), pieces: readPieces(readFileSync(pieces)) }
}
