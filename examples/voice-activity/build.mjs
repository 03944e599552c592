/** From the float network to a module. It is calibrated on recordings joined to sequences, through which the state is carried. */

import { joined, readWav } from '../../bench/real/sound.mjs'
import { alignSets, arrayDataSet, readTar } from '../../dist/data/index.js'
import { compile, parseOnnx, quantize, verifyModule } from '../../dist/index.js'
import { CONTEXT, RATE, WINDOW } from './listen.mjs'

/** Windows of a sequence: four seconds, since the state goes on growing for as long. */
const SEQUENCE = 120
const SEQUENCES = 16

/** A window with the samples before it; zeros before the first. */
const windowOf = (signal, t) =>
  Float32Array.from({ length: CONTEXT + WINDOW }, (_, i) => signal[t * WINDOW - CONTEXT + i] ?? 0)

/**
 * Windows of {@link SEQUENCES} clips, as far apart in the joined recordings as these allow.
 * @param {Uint8Array} tar WAV files. @param {string} where Names the archive in messages.
 */
function calibrationSet(tar, where) {
  const signals = [...readTar(tar, where)]
    .filter(([name]) => name.endsWith('.wav'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, wav]) => readWav(wav, `${where}/${name}`))
  const signal = joined(signals)
  const length = SEQUENCE * WINDOW
  const room = signal.length - length
  if (room < 0)
    throw new Error(
      `${where} holds ${(signal.length / RATE).toFixed(1)} s of recordings; ${length / RATE} s are needed`,
    )
  const samples = Array.from({ length: SEQUENCES }, (_, i) => {
    const at = Math.floor((i * room) / (SEQUENCES - 1))
    const clip = signal.subarray(at, at + length)
    return Array.from({ length: SEQUENCE }, (_, t) => windowOf(clip, t))
  }).flat()
  return alignSets(new Map([['input', arrayDataSet({ name: 'recordings', shape: [CONTEXT + WINDOW], samples })]]))
}

/**
 * @param {Uint8Array} onnx @param {Uint8Array} recordings A tar archive of WAV files. @param {string} where Names it in messages.
 * @returns {Promise<import('../../dist/index.js').CompiledProgram>} Throws where the module has a float instruction or does not
 *   verify.
 */
export async function buildVoice(onnx, recordings, where) {
  const graph = parseOnnx(onnx, { bind: { sr: RATE }, axes: { sequence: CONTEXT + WINDOW } })
  const plan = await quantize(graph, calibrationSet(recordings, where), {
    states: [{ input: 'state', output: 'stateN' }],
    sequence: SEQUENCE,
    // With 8 bits the network is near the limit of the automatic choice: a recording more or less would decide.
    activations: 's16',
  })
  const program = compile(graph, plan)
  const { ok, facts } = verifyModule(program.wasm)
  if (!ok || facts.floatOpcodes > 0) throw new Error('the module does not verify')
  return program
}

/** A WAV file as the samples that a program hears. @param {Uint8Array} wav @param {string} where */
export function readSignal(wav, where) {
  return Float32Array.from(readWav(wav, where))
}
