/**
 * The worker: from the bytes of an ONNX file and of samples to a module, with the functions of the package and nothing else.
 * The page sends `{ model, samples }` with arrays of `{ name, bytes }`; it gets messages of kind `note`, `progress`, and at
 * the end `done` or `failed`.
 */
import { compile, createFastExecutor, parseOnnx, prepare, quantize, realInput, verifyModule } from 'dyadic'
import { cardForPath, decodeImageOnCanvas, memoryFiles, openDataSet } from 'dyadic/data'
import { loadSync } from 'dyadic/runtime'

/** Samples on which float network and module are compared. */
const COMPARED = 16

const say = (kind, content) => self.postMessage({ kind, ...content })

/** The samples as a data set: a data card with its files, `.npy` files, or pictures for an input of this shape. */
async function openSamples(samples, shape) {
  const card = samples.find(({ name }) => /\.json$/i.test(name))
  const place = card === undefined ? (name) => `samples/${name}` : (name) => name
  const files = memoryFiles(new Map(samples.map(({ name, bytes }) => [place(name), bytes])))
  const found = await cardForPath(card?.name ?? 'samples', shape, files)
  if (found.assumed !== undefined) say('note', { text: found.assumed })
  return openDataSet(found.card, { files, decodeImage: decodeImageOnCanvas, folder: found.folder })
}

/** On how many samples the largest output is the same, float network beside module. */
async function compareAnswers(graph, wasm, set) {
  const float = createFastExecutor(graph)
  const network = loadSync(wasm)
  const [input] = graph.inputs
  const [output] = graph.outputs
  const largest = (values) => values.indexOf(values.reduce((most, value) => Math.max(most, value), -Infinity))
  const count = Math.min(COMPARED, set.length)
  let same = 0
  for (let index = 0; index < count; index++) {
    const values = realInput(set, await set.read(index))
    const expected = float.run(new Map([[input, values]])).get(output)
    if (largest(expected) === largest(network.run({ [input]: values })[output])) same += 1
  }
  return { same, count }
}

async function work({ model, samples }) {
  const start = performance.now()
  const graph = parseOnnx(model)
  const { compiled } = prepare(graph)
  const [input] = compiled.inputs
  if (samples.length > 0 && compiled.inputs.length > 1)
    throw new Error(`the network has ${compiled.inputs.length} inputs; samples serve networks with one`)
  const set = samples.length === 0 ? undefined : await openSamples(samples, compiled.values.get(input).shape.slice(1))
  const plan = await quantize(graph, set, {
    onProgress: (done, total) => say('progress', { done, total }),
    onNote: (text) => say('note', { text }),
  })
  const { wasm, dts, manifest } = compile(graph, plan)
  const report = verifyModule(wasm)
  if (!report.ok) throw new Error('the module does not pass its own verification')
  const answers = set === undefined ? undefined : await compareAnswers(compiled, wasm, set)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', wasm))
  say('done', {
    wasm,
    dts,
    memoryBytes: manifest.memory.bytes,
    floatOpcodes: report.facts.floatOpcodes,
    imports: report.facts.imports,
    answers,
    seconds: (performance.now() - start) / 1000,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  })
}

self.onmessage = ({ data }) => {
  work(data).catch((error) => say('failed', { text: error instanceof Error ? error.message : String(error) }))
}
