/** Keeps measured rows in a file of bench/results: those of the networks that were measured, in place of their older ones. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { located } from '../../real/build.mjs'
import { describeMachine } from '../interleave.mjs'

/**
 * @param {string} name File in bench/results.
 * @param {readonly { network: string }[]} measured
 * @param {readonly string[]} order Names of all networks, in the order of the file.
 */
export function saveRows(name, measured, order) {
  const file = located(`bench/results/${name}`)
  const names = new Set(measured.map(({ network }) => network))
  const old = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rows : []
  const kept = [...old.filter(({ network }) => !names.has(network)), ...measured]
  kept.sort((a, b) => order.indexOf(a.network) - order.indexOf(b.network))
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), rows: kept }, null, 2)}\n`)
}
