/**
 * Reads the models that its parent names, one after the other, as the command line does, and says of each what came of it.
 * Plain JavaScript on the built library, so that it can be limited and killed from outside.
 */
import { readFileSync } from 'node:fs'
import { openExternalFiles } from '../../dist/cli/external-data.js'
import { DyadicError } from '../../dist/error.js'
import { createReferenceExecutor, parseOnnx, prepare } from '../../dist/index.js'
import { findUnsupported } from '../../dist/lower/lower.js'

const prototype = () => Object.getOwnPropertyNames(Object.prototype).join()
const before = prototype()

/** Output `y` on input `x`, if numbers for it are given. */
function run(graph, x) {
  if (x === undefined) return undefined
  return Array.from(
    createReferenceExecutor(graph)
      .run(new Map([['x', Float32Array.from(x)]]))
      .get('y'),
  )
}

process.on('message', ({ index, path, x }) => {
  const start = performance.now()
  const computed = process.cpuUsage()
  let outcome
  try {
    const bytes = new Uint8Array(readFileSync(path))
    const files = openExternalFiles(path)
    let graph
    try {
      graph = parseOnnx(bytes, { external: files.read })
    } finally {
      files.close()
    }
    const { float, compiled } = prepare(graph)
    findUnsupported(compiled)
    outcome = { accepted: true, y: run(float, x) }
  } catch (error) {
    outcome =
      error instanceof DyadicError
        ? { accepted: false, code: error.code, message: error.message }
        : { accepted: false, code: 'internal', message: String(error?.stack ?? error) }
  }
  const { user, system } = process.cpuUsage(computed)
  // On a busy machine a process waits: what it computed counts, threads that collect garbage not twice.
  const milliseconds = Math.min(performance.now() - start, (user + system) / 1000)
  process.send({ index, milliseconds, polluted: prototype() !== before, ...outcome })
})
