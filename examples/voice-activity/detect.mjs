/**
 * `npm run voice`: makes a detector of speech into one WebAssembly module without a float instruction and lets it listen to a
 * recording, in the terminal or, with `--page`, in an AudioWorklet of a browser.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSync } from '../../dist/runtime/index.js'
import { serveFolder } from '../static-page.mjs'
import { buildVoice, readSignal } from './build.mjs'
import { buildPage } from './build-page.mjs'
import { listen, RATE, WINDOW } from './listen.mjs'
import { readInput, readOptions, USAGE } from './options.mjs'
import { svgPlot, textPlot } from './plot.mjs'
import { speechSegments } from './segments.mjs'

/** Seconds of the recording that are heard. */
const MOST = 20
const COLUMNS = 100

const print = (text) => process.stdout.write(`${text}\n`)

function detect(wasm, signal, plot) {
  const start = performance.now()
  const probabilities = listen(loadSync(wasm), signal).map(({ probability }) => probability)
  const milliseconds = (performance.now() - start) / probabilities.length
  const seconds = WINDOW / RATE
  const segments = speechSegments(probabilities, seconds)
  print('speech from … to, in seconds')
  for (const { from, to } of segments) print(`${from.toFixed(2).padStart(7)} … ${to.toFixed(2).padStart(5)}`)
  if (segments.length === 0) print('   none')
  print(`\n${textPlot(probabilities, seconds, COLUMNS)}\n`)
  writeFileSync(plot, svgPlot(probabilities, segments, seconds))
  print(`${probabilities.length} windows, ${milliseconds.toFixed(2)} ms each; plot: ${plot}`)
}

async function run({ model, wav, recordings, out, page, port }) {
  const [onnx, sound, archive] = [
    readInput(model, '--model'),
    readInput(wav, '--wav'),
    readInput(recordings, '--recordings'),
  ]
  const signal = readSignal(sound, wav).subarray(0, MOST * RATE)
  if (signal.length < WINDOW)
    throw new RangeError(`${wav} has ${signal.length} samples at ${RATE} Hz; a window has ${WINDOW}`)
  const start = performance.now()
  const { wasm, manifest } = await buildVoice(onnx, archive, recordings)
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, wasm)
  process.stderr.write(
    `${out}: ${wasm.length} bytes, ${manifest.memory.bytes} of memory, no float instruction; ` +
      `${((performance.now() - start) / 1000).toFixed(1)} s\n\n`,
  )
  if (!page) {
    detect(wasm, signal, `${out.replace(/\.wasm$/, '')}.svg`)
    return
  }
  const folder = fileURLToPath(new URL('out', import.meta.url))
  await buildPage(folder, wasm, signal)
  print((await serveFolder(folder, port)).address)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) print(USAGE)
  else await run(options)
} catch (error) {
  process.stderr.write(`voice: ${error.message}\n`)
  process.exitCode = 2
}
