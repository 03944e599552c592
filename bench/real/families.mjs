/**
 * `node bench/real/families.mjs [--save] [names…]`: transformers with labels under each family of non-linear arithmetic. Prints a
 * table; --save keeps the rows in bench/results/families.json. The gates are those of the families; exit code 1 when one is
 * missed.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { missedGates } from './gates.mjs'
import { measureNetwork } from './measure.mjs'
import { networkName, networks } from './networks.mjs'

/** Networks and what a family must keep; 8-bit probabilities are asked for by the pattern of the softmaxes. */
const NETWORKS = ['vit-cifar10', 'glyphs-transformer']
const EIGHT_BITS = [{ pattern: '.*Softmax.*|.*shares.*|.*softmax.*', format: 'u8' }]
/** @type {{ family: 'default' | 'poly' | 'shift' | 'shift-deployment', bits: 8 | 16, gates: import('./networks.mjs').Gates }[]} */
const VARIANTS = [
  { family: 'default', bits: 16, gates: { lostMinusGained: 20, agreement: 0.97 } },
  { family: 'default', bits: 8, gates: {} },
  { family: 'poly', bits: 16, gates: {} },
  { family: 'shift', bits: 16, gates: { lostMinusGained: 25, agreement: 0.95 } },
  { family: 'shift', bits: 8, gates: { agreement: 0.935 } },
  { family: 'shift-deployment', bits: 8, gates: {} },
]

const { values, positionals } = parseArgs({
  options: { save: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const names = positionals.length > 0 ? positionals : NETWORKS
const unknown = names.filter((name) => !NETWORKS.includes(name))
if (unknown.length > 0) throw new Error(`no network ${unknown.join(', ')}; there are ${NETWORKS.join(', ')}`)
const say = (text) => process.stderr.write(`${text}\n`)
const rows = []
const missed = []
for (const network of networks.filter((one) => names.includes(networkName(one))))
  for (const { family, bits, gates } of VARIANTS) {
    const options = { nonlinear: family, ...(bits === 8 && { keep: EIGHT_BITS }) }
    const measured = await measureNetwork(network, (text) => say(`${family}, ${bits} bits: ${text}`), options)
    for (const { row } of measured) {
      rows.push({ family, probabilityBits: bits, ...row })
      const wanted = networkName(network) === 'vit-cifar10' ? gates : {}
      missed.push(...missedGates(row, wanted).map((message) => `${family}, ${bits} bits: ${message}`))
    }
  }
const columns = ['network', 'family', 'probabilityBits', 'float', 'integer', 'lost', 'gained', 'total', 'agreement']
process.stdout.write(formatTable(rows, [...columns, 'sqnrDb', 'msPerSample', 'codeBytes']))
for (const message of missed) say(`families: gate missed: ${message}`)
if (values.save)
  writeFileSync(
    new URL('../results/families.json', import.meta.url),
    `${JSON.stringify({ machine: describeMachine(), rows }, null, 2)}\n`,
  )
process.exitCode = missed.length > 0 ? 1 : 0
