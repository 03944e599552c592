/**
 * `npm run vision`: makes a vision transformer into one WebAssembly module without a float instruction and asks it and the
 * float network what pictures show, in the terminal or, with `--page`, the module alone in a browser.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluatePair } from '../../dist/index.js'
import { serveFolder } from '../static-page.mjs'
import { buildVision, predictors } from './build.mjs'
import { buildPage } from './build-page.mjs'
import { CLASSES } from './classes.mjs'
import { readModel, readOptions, USAGE } from './options.mjs'
import { openPictures } from './pictures.mjs'

/** Pictures that the numbers of the network are chosen on. */
const CALIBRATION = 64
const WIDTH = 12

const print = (text) => process.stdout.write(`${text}\n`)

async function classify({ model, data, count, out, page, port }) {
  const onnx = readModel(model)
  const [calibration, test] = await Promise.all([
    openPictures(data, 'calibration', CALIBRATION),
    openPictures(data, 'test', count),
  ])
  const start = performance.now()
  const vision = await buildVision(onnx, calibration)
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, vision.wasm)
  process.stderr.write(
    `${out}: ${vision.wasm.length} bytes, ${vision.manifest.memory.bytes} of memory, no float instruction; ` +
      `${((performance.now() - start) / 1000).toFixed(1)} s\n\n`,
  )
  if (page) {
    const folder = fileURLToPath(new URL('out', import.meta.url))
    await buildPage(folder, vision.wasm, test)
    print((await serveFolder(folder, port)).address)
    return
  }
  const row = (...cells) =>
    print(
      cells
        .map((cell) => cell.padEnd(WIDTH))
        .join('')
        .trimEnd(),
    )
  row('picture', 'label', 'float', 'integer')
  const { float, integer } = predictors(vision, test)
  const result = await evaluatePair(test, float, integer, {
    onSample: (index, label, answers) => row(`${index}`, ...[label, ...answers].map((answer) => CLASSES[answer])),
  })
  const share = (right) => `${right} (${((100 * right) / result.total).toFixed(1)} %)`
  print(
    `\nof ${result.total} right: float ${share(result.reference)}, integer ${share(result.candidate)}; ` +
      `the same answer ${(100 * result.agreement).toFixed(1)} %`,
  )
  print(
    `milliseconds a picture: float ${result.referenceMsPerSample.toFixed(1)}, integer ${result.candidateMsPerSample.toFixed(1)}`,
  )
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) print(USAGE)
  else await classify(options)
} catch (error) {
  process.stderr.write(`vision: ${error.message}\n`)
  process.exitCode = 2
}
