/**
 * Pieces of recordings as the real inputs of networks for sound.
 *
 * - `speech-quality`, DNSMOS P.808 (Reddy et al., 2021): of 9.01 s the last 160 samples are left out, as the authors'
 *   scoring does; 900 frames of 321 samples, hop 160, 120 mel bands; decibels under the loudest entry, 10 log10 of the power
 *   (at least 1e-10), cut off at −80; then (dB + 40) / 40.
 * - `machine-sound`, the autoencoder of MLPerf Tiny (Banbury et al., 2021): five frames of 1024 samples, hop 512, 128 mel
 *   bands, 10 log10(power + 2^−52), one frame after another.
 */
import { readFileSync } from 'node:fs'
import { readTar } from '../../dist/data/index.js'
import { createMelSpectrogram } from './mel.mjs'
import { located } from './place.mjs'
import { joined, RATE, readWav } from './sound.mjs'

/**
 * @typedef {{ file: string, speaker?: string, seconds: readonly number[] }} Clips Clips of one recording, by where they
 *   begin; with `speaker`, of all recordings `<digit>_<speaker>_<take>.wav` of the tar archive `file`, joined in the order
 *   of their names. Files are relative to the network's data folder.
 * @typedef {{ name: string, features: 'speech-quality' | 'machine-sound', clips: readonly Clips[] }} ClipSet
 */

const decibels = (power) => 10 * Math.log10(power)

const speechMel = createMelSpectrogram({ rate: RATE, length: 321, hop: 160, bands: 120 })
const machineMel = createMelSpectrogram({ rate: RATE, length: 1024, hop: 512, bands: 128 })

/** `samples` of a clip, and the input that they become. */
const FEATURES = {
  'speech-quality': {
    samples: Math.floor(9.01 * RATE) - 160,
    shape: [900, 120],
    of(signal) {
      const levels = joined(speechMel(signal)).map((power) => decibels(Math.max(1e-10, power)))
      const loudest = levels.reduce((most, level) => Math.max(most, level), Number.NEGATIVE_INFINITY)
      return levels.map((level) => (Math.max(level - loudest, -80) + 40) / 40)
    },
  },
  'machine-sound': {
    samples: 6 * 512,
    shape: [5 * 128],
    // The first and the last frame reach over the clip's ends.
    of: (signal) => joined(machineMel(signal).slice(1, 6)).map((power) => decibels(power + Number.EPSILON)),
  },
}

/**
 * The clips as a data set of real inputs without labels. Throws where a clip reaches past its recording.
 * @param {ClipSet} set
 * @param {string} folder From the repository's root.
 * @returns {import('../../dist/index.js').DataSet}
 */
export function openClips({ name, features, clips }, folder) {
  const { samples, shape, of } = FEATURES[features]
  const pieces = clips.flatMap(({ file, speaker, seconds }) => {
    const signal = readRecording(`${folder}/${file}`, speaker)
    return seconds.map((second) => {
      const at = Math.round(second * RATE)
      if (at + samples > signal.length)
        throw new Error(`${name}: ${file} ${speaker ?? ''} ends before ${second} s + clip`)
      return { label: `${speaker ?? file} ${second} s`, signal: signal.subarray(at, at + samples) }
    })
  })
  return {
    name,
    length: pieces.length,
    ...{ elementType: 'float32', shape, channelAxis: 0, scale: [1], offset: [0] },
    label: () => undefined,
    read: async (index) => Float32Array.from(of(pieces[index].signal)),
    describe: (index) => pieces[index].label,
  }
}

/** Signals by path and speaker: the archive is read once. */
const recordings = new Map()

function readRecording(path, speaker) {
  const key = `${path} ${speaker}`
  if (!recordings.has(key)) {
    const bytes = new Uint8Array(readFileSync(located(path)))
    const signal =
      speaker === undefined
        ? readWav(bytes, path)
        : joined(
            [...readTar(bytes, path)]
              .filter(([name]) => name.includes(`_${speaker}_`) && name.endsWith('.wav'))
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, wav]) => readWav(wav, `${path}/${name}`)),
          )
    recordings.set(key, signal)
  }
  return recordings.get(key)
}
