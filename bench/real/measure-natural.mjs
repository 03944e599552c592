/** The row of one network of natural.mjs: every output of the program against the float network's, boxes, sizes, times. */
import { takesStored } from '../../dist/evaluate/predictors.js'
import { createFastExecutor, realInput, verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { bestAnchors, decoders, overlap } from './boxes.mjs'
import { buildNetwork, openSet } from './build.mjs'
import { rounded } from './measure.mjs'
import { networkName } from './networks.mjs'

/**
 * @typedef {{
 *   network: string, kind: 'sqnr', set: string, calibration: string, calibrated: number, tested: number,
 *   outputs: { name: string, sqnrDb: number }[], worstSqnrDb: number,
 *   boxes?: { count: number, meanOverlap: number, worstOverlap: number,
 *     score: number, scored: number, worstScoredOverlap: number | null },
 *   wasmBytes: number, codeBytes: number, memoryBytes: number, floatOpcodes: number, imports: number, verified: boolean,
 *   msPerSample: number, compileSeconds: number, integerGraph: string,
 * }} NaturalRow `sqnrDb` is 10·log10(Σ float² / Σ (float − integer)²) over all entries of an output on all test inputs. `boxes`
 *   compares the program's box with the float one at each of the 20 best float anchors of every input; `scored` of them reach
 *   the network's detection `score`.
 */

/** Best float boxes of an input that are compared. */
const BOXES = 20

/**
 * @param {import('./natural.mjs').NaturalNetwork} network
 * @param {(text: string) => void} [report] Called when a step begins.
 * @returns {Promise<{ row: NaturalRow, gates: import('./natural.mjs').Gates }>}
 */
export async function measureNatural(network, report = () => {}) {
  const name = networkName(network)
  report(`${name}: compiling`)
  const { prepared, program, seconds } = await buildNetwork(network)
  const { ok: verified, facts } = verifyModule(program.wasm)
  if (facts === undefined) throw new Error(`${name}: the compiled module does not decode`)
  report(`${name}: testing`)
  const calibration = await openSet(network, network.calibration)
  const samples = await openSet(network, network.test)
  const pair = await comparePair(network, prepared.compiled, loadSync(program.wasm), samples)
  const row = {
    network: name,
    kind: /** @type {const} */ ('sqnr'),
    set: network.set,
    calibration: calibration.name,
    calibrated: calibration.length,
    tested: samples.length,
    ...pair.results,
    wasmBytes: program.wasm.length,
    codeBytes: program.wasm.length - facts.dataBytes,
    memoryBytes: program.manifest.memory.bytes,
    floatOpcodes: facts.floatOpcodes,
    imports: facts.imports,
    verified,
    msPerSample: rounded(pair.msPerSample, 4),
    compileSeconds: rounded(seconds, 2),
    integerGraph: program.certificate.integerGraph,
  }
  return { row, gates: network.gates }
}

/** Both networks on every sample. */
async function comparePair(network, graph, loaded, samples) {
  const executor = createFastExecutor(graph)
  const [inputName] = graph.inputs
  const noise = new Map(graph.outputs.map((output) => [output, { signal: 0, error: 0 }]))
  const boxes = []
  let milliseconds = 0
  for (let index = 0; index < samples.length; index++) {
    const stored = await samples.read(index)
    const real = realInput(samples, stored)
    const expected = executor.run(new Map([[inputName, real]]))
    const [port] = loaded.inputs
    const given = inPortOrder(takesStored(port, samples) ? stored : real, graph.values.get(inputName).shape, port)
    const start = performance.now()
    const results = loaded.run({ [port.name]: given })
    milliseconds += performance.now() - start
    const found = new Map(
      loaded.outputs.map((output) => [
        output.name,
        inOnnxOrder(results[output.name], graph.values.get(output.name).shape, output),
      ]),
    )
    for (const [output, sums] of noise) addNoise(sums, expected.get(output), found.get(output))
    if (network.boxes) boxes.push(...compareBoxes(decoders[network.boxes.decoder], expected, found))
  }
  const outputs = [...noise].map(([output, sums]) => ({ name: output, sqnrDb: rounded(decibels(sums), 2) }))
  return {
    msPerSample: milliseconds / samples.length,
    results: {
      outputs,
      worstSqnrDb: Math.min(...outputs.map(({ sqnrDb }) => sqnrDb)),
      ...(network.boxes && { boxes: summary(boxes, network.boxes.score) }),
    },
  }
}

function addNoise(sums, expected, found) {
  for (let i = 0; i < expected.length; i++) {
    sums.signal += expected[i] * expected[i]
    sums.error += (expected[i] - found[i]) * (expected[i] - found[i])
  }
}

/** Equal outputs have 999 dB, since JSON knows no infinity. */
const decibels = ({ signal, error }) => (error === 0 ? 999 : 10 * Math.log10(signal / error))

function compareBoxes(decode, expected, found) {
  const [reference, candidate] = [decode(expected), decode(found)]
  return bestAnchors(reference.scores, BOXES).map((anchor) => ({
    score: reference.scores[anchor],
    overlap: overlap(reference.boxes[anchor], candidate.boxes[anchor]),
  }))
}

function summary(boxes, score) {
  const least = (some) => some.reduce((worst, box) => Math.min(worst, box.overlap), 1)
  const scored = boxes.filter((box) => box.score >= score)
  return {
    count: boxes.length,
    meanOverlap: rounded(boxes.reduce((sum, box) => sum + box.overlap, 0) / boxes.length, 4),
    worstOverlap: rounded(least(boxes), 4),
    score,
    scored: scored.length,
    worstScoredOverlap: scored.length === 0 ? null : rounded(least(scored), 4),
  }
}

/** Whether a port has the axes of an ONNX shape N, C, H, W in the order N, H, W, C. */
function isChannelsLast({ shape }, [batch, channels, ...spatial]) {
  const last = [batch, ...spatial, channels]
  return shape.length === 4 && String(shape) === String(last)
}

/** A sample in ONNX order as a port has it. */
function inPortOrder(values, onnxShape, port) {
  if (String(port.shape) === String(onnxShape) || !isChannelsLast(port, onnxShape)) return values
  return transposed(values, onnxShape[1])
}

/** An output of the program in ONNX order. */
function inOnnxOrder(values, onnxShape, port) {
  if (String(port.shape) === String(onnxShape) || !isChannelsLast(port, onnxShape)) return values
  return transposed(values, values.length / onnxShape[1])
}

/** Rows become columns. */
function transposed(values, rows) {
  const columns = values.length / rows
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)])
}
