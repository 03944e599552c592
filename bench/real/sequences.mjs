/**
 * Networks of several inputs, and networks with a state that is carried from step to step. The program carries its own state, in integers; the float network carries its own beside it.
 *
 * - `vittrack`: 32 pictures for calibration (index % 16 = 0), 16 others (index % 32 = 8), each the middle 272 × 272 pixels of a
 *   picture with a shorter side of 288. The search region are the first 256 of these both ways; the template are the 128 × 128
 *   in the middle, which are 8 pixels off the middle of the search region, as a target that has moved.
 * - `dtln-1`, `dtln-2` (Westhausen and Meyer, 2020): frames of 512 samples, hop 128, no window, as the authors' real-time
 *   script has them. Stage 1 reads magnitudes; stage 2 reads what the inverse transform makes of these times the float stage
 *   1's mask, with the phases they had.
 * - `silero`: windows of 512 samples after the 64 before them. The test is the whole recording whose probabilities are stored.
 *
 * Sequences of speech start from a state of zeros.
 */
import { readFileSync } from 'node:fs'
import { alignSets, arrayDataSet, readTar } from '../../dist/data/index.js'
import { compile, createFastExecutor, parseOnnx, prepare, quantize, realInput, verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { openSet } from './build.mjs'
import { rounded } from './measure.mjs'
import { located } from './place.mjs'
import { joined, RATE, readWav } from './sound.mjs'

/**
 * @typedef {{ samples: import('../../dist/data/index.js').AlignedSets, sequence?: number, name: string }} Part Aligned samples;
 *   `sequence` of them, in a row, are one sequence.
 * @typedef {{
 *   name: string, model: string, data: string[], parse?: object, states: { input: string, output: string }[],
 *   parts(): Promise<{ calibration: Part, test: Part }>,
 *   gates: { sqnrDb?: number, sameSide?: number, meanDifference?: number },
 *   expected?: () => number[],
 * }} SequenceNetwork `sameSide` is the least share of steps whose first output is on the same side of 0.5 as `expected`,
 *   `meanDifference` the largest mean of the distances.
 */

const SPEECH = '../shared/models/silero-vad/test.wav'
const DIGITS = '../shared/data/fsdd/recordings.tar'
const NOISY = '../shared/data/audio/noisy_mix_16k.wav'
const PICTURES = '../shared/data/imagenet-samples'

const bytesOf = (path) => new Uint8Array(readFileSync(located(path)))

/** One speaker's recordings, joined in the order of their names. */
const digitsOf = (speaker) =>
  joined(
    [...readTar(bytesOf(DIGITS), DIGITS)]
      .filter(([name]) => name.includes(`_${speaker}_`) && name.endsWith('.wav'))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, wav]) => readWav(wav, `${DIGITS}/${name}`)),
  )

/** `count` clips of a signal, as far apart as it allows, between two seconds of it. */
function clipsOf(signal, length, count, [from, to] = [0, signal.length / RATE]) {
  const room = Math.floor((to - from) * RATE) - length
  if (room < 0) throw new Error(`a clip of ${length} samples does not fit ${from} s … ${to} s`)
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(from * RATE) + Math.floor((i * room) / Math.max(1, count - 1))
    return signal.subarray(at, at + length)
  })
}

/** Speech of which no test clip has any: 32 clips to calibrate on, 16 to test. */
function speechClips(length) {
  const speech = readWav(bytesOf(SPEECH), SPEECH)
  const noisy = readWav(bytesOf(NOISY), NOISY)
  return {
    calibration: [
      ...clipsOf(speech, length, 12, [0, 35]),
      ...clipsOf(noisy, length, 4, [0, 5]),
      ...clipsOf(digitsOf('george'), length, 8),
      ...clipsOf(digitsOf('jackson'), length, 8),
    ],
    test: [
      ...clipsOf(speech, length, 6, [36, 60]),
      ...clipsOf(noisy, length, 4, [5.5, noisy.length / RATE]),
      ...clipsOf(digitsOf('lucas'), length, 3),
      ...clipsOf(digitsOf('nicolas'), length, 3),
    ],
  }
}

/** @param {string} input @param {number[]} shape @param {Float32Array[]} samples @param {number} sequence */
const part = (name, input, shape, samples, sequence) => ({
  ...{ name, sequence },
  samples: alignSets(new Map([[input, arrayDataSet({ name, shape, samples })]])),
})

const FRAME = 512
const HOP = 128
const BINS = FRAME / 2 + 1
/** Frames of a sequence: one second, since cells go on growing for as long. */
const FRAMES = 125
const COSINES = Float64Array.from({ length: FRAME }, (_, i) => Math.cos((2 * Math.PI * i) / FRAME))
const SINES = Float64Array.from({ length: FRAME }, (_, i) => Math.sin((2 * Math.PI * i) / FRAME))

/** Bins 0 … 256 of a frame's transform. */
function transformed(frame) {
  const [real, imaginary] = [new Float64Array(BINS), new Float64Array(BINS)]
  for (let k = 0; k < BINS; k++)
    for (let n = 0; n < FRAME; n++) {
      real[k] += frame[n] * COSINES[(k * n) % FRAME]
      imaginary[k] -= frame[n] * SINES[(k * n) % FRAME]
    }
  return { real, imaginary }
}

/** The frame whose transform has these bins. */
function inverse({ real, imaginary }) {
  return Float32Array.from({ length: FRAME }, (_, n) => {
    let sum = 0
    for (let k = 0; k < BINS; k++) {
      const weight = k === 0 || k === BINS - 1 ? 1 : 2
      sum += weight * (real[k] * COSINES[(k * n) % FRAME] - imaginary[k] * SINES[(k * n) % FRAME])
    }
    return sum / FRAME
  })
}

/** Transforms of a clip's frames, and their magnitudes. */
const spectraOf = (clip) =>
  Array.from({ length: (clip.length - FRAME) / HOP + 1 }, (_, t) => {
    const { real, imaginary } = transformed(clip.subarray(t * HOP, t * HOP + FRAME))
    return { real, imaginary, magnitude: Float32Array.from(real, (value, k) => Math.hypot(value, imaginary[k])) }
  })

/** Both parts of a stage whose input are `size` numbers, made of clips by `framesOf`. */
function dtlnParts(name, input, size, framesOf) {
  const { calibration, test } = speechClips(FRAME + (FRAMES - 1) * HOP)
  const of = (clips) => part(name, input, [1, size], framesOf(clips), FRAMES)
  return { calibration: of(calibration), test: of(test) }
}

const MASK_MODEL = '../shared/models/dtln/model_1.onnx'
const MASK_STATE = { input: 'input_3', output: 'tf_op_layer_stack_2' }

/** The magnitudes of all clips, one sequence after another. */
const magnitudes = (clips) => clips.flatMap((clip) => spectraOf(clip).map(({ magnitude }) => magnitude))

/** Frames of all clips as stage 1 leaves them. */
function maskedFrames(clips) {
  const executor = createFastExecutor(prepare(parseOnnx(bytesOf(MASK_MODEL))).compiled)
  return clips.flatMap((clip) => {
    let state = new Float32Array(2 * 128 * 2)
    return spectraOf(clip).map(({ real, imaginary, magnitude }) => {
      const results = executor.run(
        new Map([
          ['input_2', magnitude],
          [MASK_STATE.input, state],
        ]),
      )
      const mask = results.get('activation_2')
      state = results.get(MASK_STATE.output).slice()
      return inverse({ real: real.map((x, k) => x * mask[k]), imaginary: imaginary.map((x, k) => x * mask[k]) })
    })
  })
}

const WINDOW = 512
const CONTEXT = 64
const WINDOWS = 120

/** Windows with the samples before them; zeros before the first. */
const windowsOf = (signal) =>
  Array.from({ length: Math.floor(signal.length / WINDOW) }, (_, t) =>
    Float32Array.from({ length: CONTEXT + WINDOW }, (_, i) => signal[t * WINDOW - CONTEXT + i] ?? 0),
  )

const pictureCard = (split) => ({
  ...{ schema: 1, name: 'imagenet-samples', samples: { kind: 'images', tar: 'images.tar' } },
  image: { resizeShorterSide: 288, crop: [272, 272], channels: 'rgb' },
  input: { divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  split,
})

/** A square of every picture of a set: `side` pixels from `at` on, both ways. */
function squares(set, side, at) {
  const [channels, height, width] = set.shape
  return {
    ...set,
    shape: [channels, side, side],
    async read(index) {
      const pixels = await set.read(index)
      return pixels.filter((_, i) => {
        const [y, x] = [Math.floor(i / width) % height, i % width]
        return y >= at && y < at + side && x >= at && x < at + side
      })
    },
  }
}

/** Pictures as template and search region. */
async function trackerPart(split) {
  const set = await openSet({ model: 'vitTracker.onnx', data: PICTURES }, pictureCard(split))
  const inputs = new Map([
    ['template', squares(set, 128, 72)],
    ['search', squares(set, 256, 0)],
  ])
  return { name: set.name, samples: alignSets(inputs, set.name) }
}

const SILERO = '../shared/models/silero-vad/silero_vad_16k_op15'

/** @type {SequenceNetwork[]} */
export const sequenceNetworks = [
  {
    name: 'vittrack',
    model: '../shared/models/vit-tracker/vitTracker.onnx',
    data: [PICTURES],
    states: [],
    parts: async () => ({
      calibration: await trackerPart({ every: 16, phase: 0 }),
      test: await trackerPart({ every: 32, phase: 8 }),
    }),
    gates: { sqnrDb: 25 },
  },
  {
    name: 'dtln-1',
    model: MASK_MODEL,
    data: [SPEECH, DIGITS, NOISY],
    states: [MASK_STATE],
    parts: async () => dtlnParts('speech magnitudes', 'input_2', BINS, magnitudes),
    gates: { sqnrDb: 25 },
  },
  {
    name: 'dtln-2',
    model: '../shared/models/dtln/model_2.onnx',
    data: [MASK_MODEL, SPEECH, DIGITS, NOISY],
    states: [{ input: 'input_5', output: 'tf_op_layer_stack_5' }],
    parts: async () => dtlnParts('masked speech', 'input_4', FRAME, maskedFrames),
    gates: { sqnrDb: 25 },
  },
  {
    name: 'silero',
    model: `${SILERO}.onnx`,
    data: [SPEECH, DIGITS, NOISY, `${SILERO}.expected_probs.json`],
    parse: { bind: { sr: 16000 }, axes: { sequence: CONTEXT + WINDOW } },
    states: [{ input: 'state', output: 'stateN' }],
    async parts() {
      const length = WINDOWS * WINDOW
      const clips = [
        ...clipsOf(readWav(bytesOf(NOISY), NOISY), length, 4),
        ...['george', 'jackson', 'lucas', 'nicolas'].flatMap((speaker) => clipsOf(digitsOf(speaker), length, 3)),
      ]
      const test = windowsOf(readWav(bytesOf(SPEECH), SPEECH))
      const shape = [CONTEXT + WINDOW]
      return {
        calibration: part('fsdd and noisy mix', 'input', shape, clips.flatMap(windowsOf), WINDOWS),
        test: part('test.wav', 'input', shape, test, test.length),
      }
    },
    gates: { sameSide: 0.99, meanDifference: 0.02 },
    expected: () => JSON.parse(readFileSync(located(`${SILERO}.expected_probs.json`), 'utf8')).probs,
  },
]

/**
 * @param {SequenceNetwork} network
 * @param {(text: string) => void} [report] Called when a step begins.
 * @returns {Promise<{ row: object, missed: string[] }>} `sqnrDb` of an output is 10·log10(Σ float² / Σ (float − integer)²) over
 *   all test samples.
 */
export async function measureSequences(network, report = () => {}) {
  const { name, states, expected } = network
  report(`${name}: data`)
  const { calibration, test } = await network.parts()
  report(`${name}: compiling`)
  const start = performance.now()
  const graph = parseOnnx(bytesOf(network.model), network.parse)
  const { sequence } = calibration
  const plan = await quantize(graph, calibration.samples, { states, sequence, onNote: (text) => report(`  ${text}`) })
  const program = compile(graph, plan)
  const seconds = (performance.now() - start) / 1000
  const { ok: verified, facts } = verifyModule(program.wasm)
  report(`${name}: testing`)
  const found = await runBoth(prepare(graph).compiled, loadSync(program.wasm), test, states)
  const row = {
    ...{ network: name, kind: 'sequence', calibration: calibration.name, calibrated: calibration.samples.length },
    ...{ test: test.name, tested: test.samples.length },
    outputs: found.outputs,
    worstSqnrDb: Math.min(...found.outputs.map(({ sqnrDb }) => sqnrDb)),
    ...(expected && differences(found.first, expected())),
    wasmBytes: program.wasm.length,
    codeBytes: program.wasm.length - facts.dataBytes,
    memoryBytes: program.manifest.memory.bytes,
    floatOpcodes: facts.floatOpcodes,
    imports: facts.imports,
    verified,
    msPerSample: rounded(found.msPerSample, 4),
    compileSeconds: rounded(seconds, 2),
    integerGraph: program.certificate.integerGraph,
  }
  return { row, missed: missedGates(row, network.gates) }
}

/** Both networks over the sequences of a part. */
async function runBoth(graph, program, { samples, sequence = 1 }, states) {
  const executor = createFastExecutor(graph)
  const sums = new Map(graph.outputs.map((output) => [output, { signal: 0, error: 0 }]))
  const zeros = () =>
    new Map(
      states.map(({ input }) => [input, new Float32Array(graph.values.get(input).shape.reduce((a, b) => a * b, 1))]),
    )
  const first = []
  let milliseconds = 0
  let [floatStates, ownStates] = [zeros(), zeros()]
  for (let index = 0; index < samples.length; index++) {
    if (index % sequence === 0) [floatStates, ownStates] = [zeros(), zeros()]
    const inputs = new Map()
    for (const [name, set] of samples.inputs) inputs.set(name, realInput(set, await set.read(index)))
    const wanted = executor.run(new Map([...inputs, ...floatStates]))
    const start = performance.now()
    // 16-bit codes come back exactly from the reals that they mean.
    const found = program.run(Object.fromEntries([...inputs, ...ownStates]))
    milliseconds += performance.now() - start
    for (const [name, sum] of sums) {
      const [a, b] = [wanted.get(name), found[name]]
      for (let i = 0; i < a.length; i++) {
        sum.signal += a[i] * a[i]
        sum.error += (a[i] - b[i]) ** 2
      }
    }
    first.push(found[graph.outputs[0]][0])
    floatStates = new Map(states.map(({ input, output }) => [input, wanted.get(output).slice()]))
    ownStates = new Map(states.map(({ input, output }) => [input, found[output].slice()]))
  }
  const outputs = [...sums].map(([name, { signal, error }]) => ({
    name,
    sqnrDb: error === 0 ? 999 : rounded(10 * Math.log10(signal / error), 2),
  }))
  return { outputs, first, msPerSample: milliseconds / samples.length }
}

function differences(found, expected) {
  if (found.length !== expected.length)
    throw new Error(`${found.length} windows were run; ${expected.length} probabilities are stored`)
  const same = found.filter((value, i) => value > 0.5 === expected[i] > 0.5).length
  const sum = found.reduce((total, value, i) => total + Math.abs(value - expected[i]), 0)
  return { sameSide: rounded(same / found.length, 5), meanDifference: rounded(sum / found.length, 5) }
}

/** One sentence per gate that a row misses. */
function missedGates(row, { sqnrDb, sameSide, meanDifference }) {
  const missed = []
  for (const output of row.outputs)
    if (sqnrDb !== undefined && !(output.sqnrDb >= sqnrDb))
      missed.push(`output ${output.name} has ${output.sqnrDb} dB, at least ${sqnrDb} are wanted`)
  if (sameSide !== undefined && !(row.sameSide >= sameSide))
    missed.push(`${row.sameSide} of the steps are on the same side of 0.5, at least ${sameSide} are wanted`)
  if (meanDifference !== undefined && !(row.meanDifference <= meanDifference))
    missed.push(`the mean difference is ${row.meanDifference}, at most ${meanDifference} is allowed`)
  if (row.floatOpcodes !== 0 || row.imports !== 0 || !row.verified) missed.push('the module does not verify')
  return missed.map((text) => `${row.network}: ${text}`)
}
