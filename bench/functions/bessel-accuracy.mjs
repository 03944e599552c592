// How far log I and log K are from proven references: node bench/functions/bessel-accuracy.mjs FILE
// FILE is made by test/vectors/bessel.py. Prints the largest error relative to max(1, |value|), where it is, and how many
// points exceed 1e-13 or are not finite; exit code 1 when any does.

import { readFileSync } from 'node:fs'
import { logBesselI, logBesselK } from '../../dist/functions/bessel-logarithm.js'

const { madeBy, rows } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
console.log(`${rows.length} points: ${madeBy}`)
let failed = false
for (const [name, evaluate, column] of [
  ['log I', logBesselI, 2],
  ['log K', logBesselK, 3],
]) {
  const errors = rows.map((row) => {
    const value = evaluate(row[0], row[1])
    return Number.isFinite(value)
      ? Math.abs(value - row[column]) / Math.max(1, Math.abs(row[column]))
      : Number.POSITIVE_INFINITY
  })
  const order = errors.map((_, index) => index).sort((a, b) => errors[b] - errors[a])
  const over = errors.filter((error) => !(error <= 1e-13)).length
  console.log(
    `${name}: largest ${errors[order[0]]} at v = ${rows[order[0]][0]}, x = ${rows[order[0]][1]}; ` +
      `99.9 % below ${errors[order[Math.floor(rows.length / 1000)]].toExponential(2)}, ` +
      `median ${errors[order[rows.length >> 1]].toExponential(2)}; above 1e-13: ${over}`,
  )
  failed ||= over > 0
}
process.exitCode = failed ? 1 : 0
