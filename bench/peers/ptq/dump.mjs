/**
 * `node bench/peers/ptq/dump.mjs FOLDER [names…]`: the samples of bench/real/networks.mjs, as the built product stores them.
 *
 * FOLDER/NETWORK/ gets `network.json` (a `Dump`) and one `.npy` file per set: N × sample shape, little-endian, row-major.
 * The peers read these and nothing else, so that both sides calibrate and count on the same bytes.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { located, openSet } from '../../real/build.mjs'
import { naturalNetworks } from '../../real/natural.mjs'
import { networkName, networks } from '../../real/networks.mjs'

/**
 * @typedef {{
 *   set: string, file: string, sha256: string, labels: (number | null)[],
 *   scale: number[], offset: number[], channelAxis: number,
 * }} DumpedSet Real input = scale[c] × (stored − offset[c]), c along `channelAxis` of a sample; `sha256` of the samples.
 * @typedef {{ network: string, model: string, calibration: DumpedSet, evaluations: DumpedSet[] }} Dump
 */

const types = { uint8: '|u1', int8: '|i1', float32: '<f4' }

/** The head of a .npy file (format 1.0), padded so that the numbers begin at a multiple of 64. */
function npyHead(elementType, shape) {
  const text = `{'descr': '${types[elementType]}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const length = Math.ceil((text.length + 11) / 64) * 64 - 10
  const head = Buffer.alloc(10 + length, ' ')
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(length, 8)
  head.write(text, 10, 'latin1')
  head.write('\n', 9 + length, 'latin1')
  return head
}

/** Writes the samples of one card into a folder. @returns {Promise<DumpedSet>} */
export async function dumpSet(network, card, set, folder, file) {
  const samples = await openSet(network, card)
  const stored = []
  const labels = []
  for (let index = 0; index < samples.length; index++) {
    const { buffer, byteOffset, byteLength } = await samples.read(index)
    stored.push(Buffer.from(Buffer.from(buffer, byteOffset, byteLength)))
    labels.push(samples.label(index) ?? null)
  }
  const bytes = Buffer.concat(stored)
  writeFileSync(
    join(folder, file),
    Buffer.concat([npyHead(samples.elementType, [samples.length, ...samples.shape]), bytes]),
  )
  const { scale, offset, channelAxis } = samples
  return { set, file, sha256: createHash('sha256').update(bytes).digest('hex'), labels, scale, offset, channelAxis }
}

/** Networks that are calibrated (the others bring their own numbers) and lie beside the repository. */
export const peerNetworks = networks.filter(({ model, calibration }) => calibration && model.startsWith('../shared/'))

/** Networks without labels, in the form of the others: the test inputs are their only evaluation set. */
export const naturalPeerNetworks = naturalNetworks.map(({ model, data, calibration, set, test }) => ({
  ...{ model, data, calibration },
  evaluations: [{ set, card: test }],
}))

/**
 * @param {Pick<import('../../real/networks.mjs').RealNetwork, 'model' | 'data' | 'calibration' | 'evaluations'>} network
 * @param {string} into
 * @returns {Promise<Dump>}
 */
export async function dumpNetwork(network, into) {
  const name = networkName(network)
  const folder = join(into, name)
  mkdirSync(folder, { recursive: true })
  const calibration = await dumpSet(network, network.calibration, 'calibration', folder, 'calibration.npy')
  const evaluations = []
  for (const [index, { set, card }] of network.evaluations.entries())
    evaluations.push(await dumpSet(network, card, set, folder, `evaluation-${index}.npy`))
  const dump = { network: name, model: located(network.model), calibration, evaluations }
  writeFileSync(join(folder, 'network.json'), `${JSON.stringify(dump)}\n`)
  return dump
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , folder, ...names] = process.argv
  if (folder === undefined) throw new Error('dump.mjs FOLDER [names…]')
  for (const network of [...peerNetworks, ...naturalPeerNetworks])
    if (names.length === 0 || names.includes(networkName(network))) await dumpNetwork(network, folder)
}
