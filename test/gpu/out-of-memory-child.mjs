/**
 * A process of its own in which the memory really is out: `node out-of-memory-child.mjs QUICK LARGE`, two GPU programs. Runs
 * the first, allows itself 300 MiB more than it has, loads the second with a batch that needs 900, and runs the first again.
 * Writes what happened as JSON. The GPU's memory is the process's where the driver is software.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { create, globals } from 'webgpu'
import { hashOutputs } from '../../bench/hosts/execute.mjs'
import { load, openDevice } from '../../dist/runtime/gpu/index.js'

const MEBIBYTE = 2 ** 20

Object.assign(globalThis, globals)
const gpu = create([])
const [quick, large] = process.argv.slice(2).map((path) => readFileSync(path))
const { device } = await openDevice({ gpu })
const network = await load(quick, { gpu, device })
const inputs = Object.fromEntries(
  network.inputs.map(({ name, count }) => [name, Uint8Array.from({ length: count }, (_, i) => i)]),
)
const before = await hashOutputs(await network.runInteger(inputs))

const [, kibibytes] = /^VmSize:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
execFileSync('prlimit', ['--pid', `${process.pid}`, `--as=${Number(kibibytes) * 1024 + 300 * MEBIBYTE}`])
const image = (await load(large, { gpu, device })).session.arena.size
let failure
let message = 'it was loaded'
try {
  await load(large, { gpu, device, batch: Math.floor((900 * MEBIBYTE) / image) })
} catch (error) {
  ;({ failure, message } = error)
}
const same = before === (await hashOutputs(await network.runInteger(inputs)))
process.stdout.write(JSON.stringify({ failure, message, before, same }))
process.exit(0)
