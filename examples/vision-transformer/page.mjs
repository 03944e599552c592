/** The page: shows pictures and what the module, in its worker, says that they are. */
import { CLASSES } from './classes.mjs'

const SIZE = 32
const PIXELS = SIZE * SIZE
/** A label, then planes of red, green and blue. */
const RECORD = 1 + 3 * PIXELS

const at = (id) => document.getElementById(id)
const number = (value) => value.toLocaleString('en-US')

function fail(text) {
  at('error').textContent = text
  at('error').hidden = false
}

/** A picture with an empty caption. */
function show({ pixels }) {
  const [figure, canvas, caption] = ['figure', 'canvas', 'figcaption'].map((tag) => document.createElement(tag))
  Object.assign(canvas, { width: SIZE, height: SIZE })
  const image = new ImageData(SIZE, SIZE)
  for (let i = 0; i < PIXELS; i++) image.data.set([pixels[i], pixels[PIXELS + i], pixels[2 * PIXELS + i], 255], 4 * i)
  canvas.getContext('2d').putImageData(image, 0, 0)
  figure.append(canvas, caption)
  at('pictures').append(figure)
  return { figure, caption }
}

const [wasm, records] = await Promise.all(
  ['vision.wasm', 'pictures.bin'].map(async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer())),
)
const pictures = Array.from({ length: records.length / RECORD }, (_, i) => ({
  label: records[i * RECORD],
  pixels: records.slice(i * RECORD + 1, (i + 1) * RECORD),
}))
const shown = pictures.map(show)
const total = { answered: 0, right: 0, milliseconds: 0 }

const worker = new Worker('classify-worker.js', { type: 'module' })
worker.onerror = (event) => fail(event.message ?? 'the worker cannot be loaded')
worker.onmessage = ({ data: { error, index, scores, milliseconds } }) => {
  if (error !== undefined) {
    fail(error)
    return
  }
  const { figure, caption } = shown[index]
  const answer = scores.indexOf(Math.max(...scores))
  const { label } = pictures[index]
  const right = answer === label
  caption.textContent = right ? CLASSES[answer] : `${CLASSES[answer]}, not ${CLASSES[label]}`
  figure.classList.toggle('wrong', !right)
  figure.dataset.scores = scores.join(' ')
  total.answered++
  total.right += right ? 1 : 0
  total.milliseconds += milliseconds
  at('status').textContent =
    `${total.right} of ${total.answered} right; ${(total.milliseconds / total.answered).toFixed(1)} ms each, ` +
    `${number(wasm.length)} bytes`
}
worker.postMessage({ wasm, pictures: pictures.map(({ pixels }) => pixels) })
