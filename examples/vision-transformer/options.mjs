/** What the command line may say. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { portOf } from '../static-page.mjs'

export const USAGE =
  'npm run vision -- [--model FILE.onnx] [--data FOLDER] [--count N, default 200] [--out FILE.wasm] [--page [--port N]]'
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Throws an `Error` that says what is wrong.
 * @param {readonly string[]} words
 */
export function readOptions(words) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      model: { type: 'string', default: here('../../../shared/models/vit-cifar10/vit-cifar10.onnx') },
      data: { type: 'string', default: here('../../../shared/data/cifar10') },
      count: { type: 'string', default: '200' },
      out: { type: 'string', default: here('out/vision.wasm') },
      page: { type: 'boolean', default: false },
      port: { type: 'string', default: '8080' },
      help: { type: 'boolean', default: false },
    },
  })
  const count = Number(values.count)
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`--count is ${values.count}; give a whole number from 1`)
  return { ...values, count, port: portOf(values.port) }
}

/** The bytes of the network. Throws an `Error` where it is missing. @param {string} file */
export function readModel(file) {
  if (!existsSync(file))
    throw new Error(
      `${file} is missing. The network is not part of this repository: examples/vision-transformer/README.md says which ` +
        'networks serve; then name the file with --model',
    )
  return readFileSync(file)
}
