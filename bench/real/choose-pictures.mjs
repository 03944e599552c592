/**
 * `node bench/real/choose-pictures.mjs NETWORK…`: the pictures of a detector, as natural.mjs lists them: the 48 on which its float
 * network has the highest best score, ranked; every third of them, from the second, is for the test, the others calibrate.
 */
import { readFileSync } from 'node:fs'
import { createFastExecutor, parseOnnx, prepare, realInput } from '../../dist/index.js'
import { bestAnchors, decoders } from './boxes.mjs'
import { openSet } from './build.mjs'
import { naturalNetworks } from './natural.mjs'
import { networkName } from './networks.mjs'
import { located } from './place.mjs'

const PICTURES = 48

for (const network of naturalNetworks.filter((network) => process.argv.slice(2).includes(networkName(network)))) {
  if (network.boxes === undefined) throw new Error(`${networkName(network)} is no detector`)
  const graph = prepare(parseOnnx(readFileSync(located(network.model)))).compiled
  const executor = createFastExecutor(graph)
  const { split: _, ...whole } = network.calibration
  const set = await openSet(network, whole)
  const scores = []
  for (let index = 0; index < set.length; index++) {
    const input = realInput(set, await set.read(index))
    const detections = decoders[network.boxes.decoder](executor.run(new Map([[graph.inputs[0], input]])))
    scores.push(Math.max(...detections.scores))
  }
  const best = bestAnchors(scores, PICTURES)
  const listed = (isTest) => best.filter((_, rank) => (rank % 3 === 1) === isTest).sort((a, b) => a - b)
  const found = scores.filter((score) => score >= network.boxes.score).length
  process.stdout.write(`${networkName(network)}: ${found} of ${set.length} pictures reach ${network.boxes.score}; `)
  process.stdout.write(`best scores ${scores[best[0]].toFixed(3)} … ${scores[best[PICTURES - 1]].toFixed(3)}\n`)
  process.stdout.write(`  calibration [${listed(false).join(', ')}]\n  test [${listed(true).join(', ')}]\n`)
}
