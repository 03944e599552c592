/** From an entry of networks.mjs or natural.mjs to a compiled program, the way a user goes: read, calibrate where needed, compile. */
import { readFileSync } from 'node:fs'
import { openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-files.js'
import { decodeImage } from '../../dist/data/node-image-decoder.js'
import { compile, parseOnnx, prepare, quantize } from '../../dist/index.js'
import { openClips } from './clips.mjs'
import { located } from './place.mjs'

export { located }

/**
 * Opens one of a network's data cards or lists of clips.
 * @param {{ model: string, data: string }} network
 * @param {object | import('./clips.mjs').ClipSet} card
 * @returns {Promise<import('../../dist/index.js').DataSet>}
 */
export async function openSet(network, card) {
  if ('clips' in card) return openClips(card, network.data)
  const folder = located(network.data)
  return openDataSet(parseDataCard(card, `a card of ${network.model}`), { files: nodeFiles, decodeImage, folder })
}

/**
 * @param {{ model: string, data: string, calibration?: object }} network
 * @returns {Promise<{
 *   prepared: ReturnType<typeof prepare>,
 *   program: import('../../dist/index.js').CompiledProgram,
 *   seconds: number,
 * }>} `seconds` from the ONNX bytes to the module's bytes, calibration included.
 */
export async function buildNetwork(network, options = {}) {
  const bytes = readFileSync(located(network.model))
  const start = performance.now()
  const graph = parseOnnx(bytes)
  const samples = network.calibration && (await openSet(network, network.calibration))
  const program = compile(graph, await quantize(graph, samples, options))
  const seconds = (performance.now() - start) / 1000
  return { prepared: prepare(graph), program, seconds }
}
