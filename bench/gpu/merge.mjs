/**
 * Puts results of main.mjs into bench/results/gpu.json: what a run measured replaces what was there under the same key, the rest
 * stays; results of another schema go. Times of single dispatches are left behind.
 *
 * node bench/gpu/merge.mjs <result.json…>
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const target = new URL('../results/gpu.json', import.meta.url)
const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
const files = process.argv.slice(2)
if (files.length === 0) throw new Error('usage: node bench/gpu/merge.mjs <result.json…>')
let kept = existsSync(target) ? read(target) : {}
for (const file of files) {
  const { parts, wrong, ...result } = read(file)
  for (const rows of Object.values(result)) if (Array.isArray(rows)) for (const row of rows) delete row.table
  if (kept.schema !== result.schema) kept = {}
  kept = { ...kept, ...result, parts: { ...kept.parts, ...parts } }
  if (wrong > 0) console.error(`${file} has ${wrong} wrong rows`)
}
writeFileSync(target, `${JSON.stringify(kept, null, 1)}\n`)
