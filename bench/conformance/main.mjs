// Bundles command.ts, which is TypeScript, and runs it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { helpOf, refuseOption } from '../command-line.mjs'

const command = new URL('command.ts', import.meta.url)
if (process.argv.includes('--help')) {
  process.stdout.write(`${helpOf(command)}\n`)
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'dyadic-conformance-'))
try {
  const outfile = join(folder, 'command.mjs')
  await build({
    entryPoints: [fileURLToPath(command)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  })
  await import(pathToFileURL(outfile).href)
} catch (error) {
  refuseOption(error)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
