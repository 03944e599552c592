/** From an entry of networks.mjs to a compiled program, the way a user goes: read, calibrate where needed, compile. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-files.js'
import { decodeImage } from '../../dist/data/node-image-decoder.js'
import { compile, parseOnnx, prepare, quantize } from '../../dist/index.js'

const root = new URL('../../', import.meta.url)

/** A path of networks.mjs on this machine. @param {string} path */
export const located = (path) => fileURLToPath(new URL(path, root))

/**
 * Opens one of a network's cards.
 * @param {import('./networks.mjs').RealNetwork} network
 * @param {object} card
 * @returns {Promise<import('../../dist/index.js').DataSet>}
 */
export function openSet(network, card) {
  const folder = located(network.data)
  return openDataSet(parseDataCard(card, `a card of ${network.model}`), { files: nodeFiles, decodeImage, folder })
}

/**
 * @param {import('./networks.mjs').RealNetwork} network
 * @returns {Promise<{
 *   prepared: ReturnType<typeof prepare>,
 *   program: import('../../dist/index.js').CompiledProgram,
 *   seconds: number,
 * }>} `seconds` from the ONNX bytes to the module's bytes, calibration included.
 */
export async function buildNetwork(network) {
  const bytes = readFileSync(located(network.model))
  const start = performance.now()
  const graph = parseOnnx(bytes)
  const samples = network.calibration && (await openSet(network, network.calibration))
  const program = compile(graph, await quantize(graph, samples))
  const seconds = (performance.now() - start) / 1000
  return { prepared: prepare(graph), program, seconds }
}
