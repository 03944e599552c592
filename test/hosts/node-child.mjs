// Runs inside the other Node: node-child.mjs <url of the runtime's index.js> <job file>; the answer goes to stdout as JSON.
import { readFileSync } from 'node:fs'
import { executeCases } from './execute-cases.mjs'

const [runtimeUrl, jobFile] = process.argv.slice(2)
let answer
try {
  const { load } = await import(runtimeUrl)
  const hashes = await executeCases(load, JSON.parse(readFileSync(jobFile, 'utf8')))
  answer = { engine: process.version, hashes }
} catch (error) {
  answer = { error: error?.stack ?? String(error) }
}
process.stdout.write(JSON.stringify(answer))
