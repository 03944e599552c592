/**
 * `node bench/real/choose-pictures.mjs NETWORK…`: the 16 pictures outside calibration on which a detector's float network has its
 * highest best score, as natural.mjs lists them, and those scores.
 */
import { readFileSync } from 'node:fs'
import { createFastExecutor, parseOnnx, prepare, realInput } from '../../dist/index.js'
import { bestAnchors, decoders } from './boxes.mjs'
import { openSet } from './build.mjs'
import { naturalNetworks } from './natural.mjs'
import { networkName } from './networks.mjs'
import { located } from './place.mjs'

for (const network of naturalNetworks.filter((network) => process.argv.slice(2).includes(networkName(network)))) {
  if (network.boxes === undefined) throw new Error(`${networkName(network)} is no detector`)
  const graph = prepare(parseOnnx(readFileSync(located(network.model)))).compiled
  const executor = createFastExecutor(graph)
  const { split, ...whole } = network.calibration
  const set = await openSet(network, { ...whole, split: { except: split } })
  const everything = await openSet(network, whole)
  const indices = new Map(Array.from({ length: everything.length }, (_, index) => [everything.describe(index), index]))
  const scores = []
  for (let index = 0; index < set.length; index++) {
    const input = realInput(set, await set.read(index))
    const detections = decoders[network.boxes.decoder](executor.run(new Map([[graph.inputs[0], input]])))
    scores.push(Math.max(...detections.scores))
  }
  const best = bestAnchors(scores, 16)
  const found = scores.filter((score) => score >= network.boxes.score).length
  const list = best.map((at) => indices.get(set.describe(at))).sort((a, b) => a - b)
  process.stdout.write(`${networkName(network)}: [${list.join(', ')}]\n`)
  process.stdout.write(`${found} of ${set.length} pictures reach ${network.boxes.score}; the best scores are `)
  process.stdout.write(`${best.map((at) => scores[at].toFixed(2)).join(' ')}\n`)
}
