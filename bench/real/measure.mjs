/** The rows of one real network: accuracy of the float network and of the program on the same samples, sizes, times. */
import { createFastExecutor, evaluatePair, floatPredictor, programPredictor, verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { buildNetwork, openSet } from './build.mjs'
import { networkName } from './networks.mjs'

/**
 * @typedef {{
 *   network: string, set: string, calibration: string, metric: 'top1',
 *   float: number, integer: number, lost: number, gained: number, total: number,
 *   agreement: number, sqnrDb: number,
 *   wasmBytes: number, codeBytes: number, memoryBytes: number, floatOpcodes: number, imports: number, verified: boolean,
 *   msPerSample: number, compileSeconds: number, integerGraph: string,
 * }} Row Counts are correct samples; `codeBytes` is the file without its data segments; `msPerSample` is one `run` on
 *   stored integers; `compileSeconds` goes from ONNX bytes to module bytes, calibration included; `integerGraph` is the hash that the
 *   certificate names.
 */

/** A number with so many decimals. */
export const rounded = (value, digits) => Number(value.toFixed(digits))

/**
 * @param {import('./networks.mjs').RealNetwork} network
 * @param {(text: string) => void} [report] Called when a step begins.
 * @param {import('../../dist/index.js').QuantizeOptions} [options] Other than the defaults.
 * @returns {Promise<{ row: Row, gates: import('./networks.mjs').Gates }[]>}
 */
export async function measureNetwork(network, report = () => {}, options = {}) {
  const name = networkName(network)
  report(`${name}: compiling`)
  const { prepared, program, seconds } = await buildNetwork(network, options)
  const { ok: verified, facts } = verifyModule(program.wasm)
  if (facts === undefined) throw new Error(`${name}: the compiled module does not decode`)
  const rows = []
  for (const { set, card, gates } of network.evaluations) {
    report(`${name}: evaluating on ${set}`)
    const samples = await openSet(network, card)
    const pair = await evaluatePair(
      samples,
      floatPredictor(prepared.compiled, createFastExecutor(prepared.compiled), samples),
      programPredictor(loadSync(program.wasm), samples),
    )
    const row = {
      network: name,
      set,
      calibration: network.calibration === undefined ? 'the file’s own scales' : describeCard(network.calibration),
      metric: /** @type {const} */ ('top1'),
      float: pair.reference,
      integer: pair.candidate,
      lost: pair.lost,
      gained: pair.gained,
      total: pair.total,
      agreement: rounded(pair.agreement, 5),
      sqnrDb: rounded(pair.sqnrDb, 2),
      wasmBytes: program.wasm.length,
      codeBytes: program.wasm.length - facts.dataBytes,
      memoryBytes: program.manifest.memory.bytes,
      floatOpcodes: facts.floatOpcodes,
      imports: facts.imports,
      verified,
      msPerSample: rounded(pair.candidateMsPerSample, 4),
      compileSeconds: rounded(seconds, 2),
      integerGraph: program.certificate.integerGraph,
    }
    rows.push({ row, gates })
  }
  return rows
}

/** Which samples a card chooses, in words. */
function describeCard({ name, samples, split }) {
  if (split?.first !== undefined) return `${name}, first ${split.first}`
  if (split?.every !== undefined) return `${name}, index % ${split.every} = ${split.phase}`
  return samples.first === undefined ? name : `${name}, ${samples.first}–${samples.first + samples.count - 1}`
}
