/** What the command line may say. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { portOf } from '../static-page.mjs'

export const USAGE =
  'npm run voice -- [--model FILE.onnx] [--wav FILE.wav] [--recordings FILE.tar] [--out FILE.wasm] [--page [--port N]]'
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Throws an `Error` that says what is wrong.
 * @param {readonly string[]} words
 */
export function readOptions(words) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      model: { type: 'string', default: here('../../../shared/models/silero-vad/silero_vad_16k_op15.onnx') },
      wav: { type: 'string', default: here('../../../shared/models/silero-vad/test.wav') },
      recordings: { type: 'string', default: here('../../../shared/data/fsdd/recordings.tar') },
      out: { type: 'string', default: here('out/voice.wasm') },
      page: { type: 'boolean', default: false },
      port: { type: 'string', default: '8080' },
      help: { type: 'boolean', default: false },
    },
  })
  return { ...values, port: portOf(values.port) }
}

/** The bytes of a file that `option` names. Throws an `Error` where it is missing. @param {string} file @param {string} option */
export function readInput(file, option) {
  if (!existsSync(file))
    throw new Error(
      `${file} is missing. Network and recordings are not part of this repository: examples/voice-activity/README.md ` +
        `says where they come from; then name the file with ${option}`,
    )
  return readFileSync(file)
}
