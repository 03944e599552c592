/**
 * The suite `transformers`: networks with random weights, ours through the rim with the peers' input (real float32 values),
 * and on stored integers as a figure of its own. The peers run their 8-bit forms of the same network: onnxruntime-web two
 * ONNX files, LiteRT.js two TFLite files of the same shape with weights of their own.
 *
 * Ours also runs with the arithmetic of I-ViT (`shift`), for what our own costs beside it.
 */
import { compile, createFastExecutor, parseOnnx, prepare, quantize } from '../../dist/index.js'
import { withNonlinear } from '../../dist/quantize/nonlinear.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { decibels, normal, normalSet } from './drawn.mjs'
import { createLiteRt } from './litert.mjs'
import { readModel } from './peers-bench.mjs'
import { makeRow } from './row.mjs'
import { transformerKernelRows } from './transformer-kernels.mjs'

/** Networks and LiteRT.js's part of them: its image networks lack the first layer and the last, 2 % of the work. */
const cases = [
  { name: 'deit_tiny', encoder: 'deit_tiny_enc', multiplications: 1253683200 },
  { name: 'deit_small', encoder: 'deit_small_enc', multiplications: 4598882304 },
  { name: 'bertbase128', encoder: 'bertbase128', multiplications: 11173625856 },
]
/** Draws that calibrate, and the one that is timed. */
const CALIBRATION_DRAWS = 2
const TIMED_DRAW = 1000
/** Answers this far from the float network's are those of another network. */
const LEAST_DECIBELS = 12

async function measureNetwork({ name, encoder, multiplications }, models, options) {
  const graph = parseOnnx(readModel(models, `${name}.fp32.onnx`))
  const [input] = graph.inputs
  const [output] = graph.outputs
  const dims = [...graph.values.get(input).shape]
  const data = normal(
    dims.reduce((product, size) => product * size, 1),
    TIMED_DRAW,
  )
  const wanted = createFastExecutor(prepare(graph).float)
    .run(new Map([[input, data]]))
    .get(output)
  // Calibration on draws alone: no method improves made-up weights.
  const samples = normalSet(dims, CALIBRATION_DRAWS)
  const numbers = await quantize(graph, samples, { activations: 'u8', methods: [] })
  const program = compile(graph, numbers)
  const ours = loadSync(program.wasm)
  const shift = loadSync(compile(graph, withNonlinear(prepare(graph).compiled, numbers, 'shift')).wasm)
  const [port] = program.manifest.inputs
  const stored = Int8Array.from({ length: port.count }, (_, i) => (i * 89) % 256)
  const contestants = {
    ours: () => void ours.run({ [input]: data }),
    'ours integer': () => void ours.runInteger({ [input]: stored }),
    'ours shift': () => void shift.run({ [input]: data }),
  }
  const nearness = [`ours ${decibels(wanted, ours.run({ [input]: data })[output]).toFixed(1)}`]
  nearness.push(`shift ${decibels(wanted, shift.run({ [input]: data })[output]).toFixed(1)}`)
  const sessions = []
  for (const [contestant, form] of [
    ['ort-web qdq', 'qdq'],
    ['ort-web dynamic', 'dyn'],
  ]) {
    const session = await createOrtWeb(readModel(models, `${name}.${form}.onnx`))
    sessions.push(session)
    const feeds = { [input]: { data, dims } }
    contestants[contestant] = () => session.run(feeds)
    // The quantised files name their one output anew.
    const [answer] = Object.values(await session.run(feeds))
    nearness.push(`${contestant} ${decibels(wanted, answer.data).toFixed(1)}`)
  }
  for (const text of nearness)
    if (Number(text.split(' ').at(-1)) < LEAST_DECIBELS)
      throw new Error(`${name}: ${text} dB from the float network; that is another one`)
  for (const [contestant, form] of [
    ['litert int8', 'int8'],
    ['litert dynamic', 'dyn'],
  ]) {
    const session = await createLiteRt(readModel(models, `${encoder}.${form}.tflite`))
    sessions.push(session)
    const values = normal(session.elements, TIMED_DRAW)
    contestants[contestant] = () => session.run(values)
  }
  const { timings } = await measure(contestants, options)
  for (const session of sessions) await session.release()
  const plan =
    `s8 input, 8-bit activations with zero point, 16-bit residual stream, scores and probabilities, 8-bit weights, by ${CALIBRATION_DRAWS} ` +
    `normal draws; random weights, dB from the float network on another draw: ${nearness.join(', ')}`
  const row = makeRow({ name, ours: 'ours', integer: 'ours integer', peers: /./, timings, plan, multiplications })
  const ratio = timings.ours.median / timings['ours shift'].median
  return {
    ...row,
    ours_shift_ms: Number(timings['ours shift'].median.toFixed(4)),
    ratio_to_shift: Number(ratio.toFixed(3)),
  }
}

/**
 * @param {string} models Folder of the models.
 * @param {object} options Of `measure`.
 * @param {(text: string) => void} report
 */
export async function transformerRows(models, options, report) {
  const rows = await transformerKernelRows(models, options, report)
  for (const entry of cases) {
    report(`transformers: ${entry.name}`)
    rows.push(await measureNetwork(entry, models, options))
  }
  return rows
}
