/** Runs a job in a process of Node, Deno or Bun: `child.mjs <runtime URL> <job file>`, the answer as JSON on stdout. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { decodeJob, execute, hashAll } from './execute.mjs'

const [runtime, job] = process.argv.slice(2)
const { load } = await import(runtime)
const hashes = await hashAll(await execute(load, decodeJob(JSON.parse(readFileSync(job, 'utf8')))))
const engine =
  'Deno' in globalThis
    ? `Deno ${globalThis.Deno.version.deno} (V8 ${globalThis.Deno.version.v8})`
    : 'Bun' in globalThis
      ? `Bun ${globalThis.Bun.version} (JavaScriptCore)`
      : `Node ${process.versions.node} (V8 ${process.versions.v8})`
process.stdout.write(JSON.stringify({ engine, hashes }))
