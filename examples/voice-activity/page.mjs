/** The page: plays a recording to the program in an AudioWorklet and draws the probabilities that come back. */
import { RATE, WINDOW } from './listen.mjs'
import { speechSegments } from './segments.mjs'

const at = (id) => document.getElementById(id)
const SECONDS = WINDOW / RATE

function fail(text) {
  at('error').textContent = text
  at('error').hidden = false
}

/** Speech, the line of one half, and the curve over all `count` windows. */
function draw(probabilities, count) {
  const canvas = at('plot')
  const context = canvas.getContext('2d')
  const x = (window) => (window / count) * canvas.width
  const y = (probability) => (1 - probability) * canvas.height
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#3b82f640'
  for (const { from, to } of speechSegments(probabilities, SECONDS))
    context.fillRect(x(from / SECONDS), 0, x((to - from) / SECONDS), canvas.height)
  context.strokeStyle = '#8888'
  context.beginPath()
  context.moveTo(0, y(0.5))
  context.lineTo(canvas.width, y(0.5))
  context.stroke()
  context.strokeStyle = '#1d4ed8'
  context.lineWidth = 2
  context.beginPath()
  for (const [t, probability] of probabilities.entries()) context.lineTo(x(t + 0.5), y(probability))
  context.stroke()
}

/** What the processor says of every window of `samples`, as if they were played. */
async function hear(module, samples) {
  const count = Math.floor(samples.length / WINDOW)
  const context = new OfflineAudioContext(1, count * WINDOW, RATE)
  await context.audioWorklet.addModule('voice-processor.js')
  const node = new AudioWorkletNode(context, 'voice', {
    numberOfInputs: 1,
    numberOfOutputs: 1,
    channelCount: 1,
    channelCountMode: 'explicit',
    processorOptions: { module },
  })
  const heard = []
  const all = new Promise((resolve, reject) => {
    node.port.onmessage = ({ data }) => {
      if (data.error !== undefined) reject(new Error(data.error))
      heard.push(data)
      if (heard.length === count) resolve(heard)
    }
    node.onprocessorerror = () => reject(new Error('the audio processor failed'))
  })
  const buffer = context.createBuffer(1, count * WINDOW, RATE)
  buffer.copyToChannel(samples.subarray(0, count * WINDOW), 0)
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(node).connect(context.destination)
  source.start()
  const start = performance.now()
  // The last messages may come after the last sample.
  await Promise.all([context.startRendering(), all])
  return { heard, milliseconds: performance.now() - start }
}

try {
  const [wasm, recording] = await Promise.all(
    ['voice.wasm', 'recording.bin'].map(async (name) => (await fetch(name)).arrayBuffer()),
  )
  const { heard, milliseconds } = await hear(await WebAssembly.compile(wasm), new Float32Array(recording))
  const probabilities = heard.map(({ probability }) => probability)
  draw(probabilities, heard.length)
  at('plot').dataset.codes = heard.map(({ code }) => code).join(' ')
  at('segments').textContent = speechSegments(probabilities, SECONDS)
    .map(({ from, to }) => `${from.toFixed(2)} … ${to.toFixed(2)} s`)
    .join(', ')
  at('status').textContent =
    `${heard.length} windows, ${(heard.length * SECONDS).toFixed(1)} s of sound in ${(milliseconds / 1000).toFixed(2)} s; ` +
    `${wasm.byteLength.toLocaleString('en-US')} bytes`
} catch (error) {
  fail(error.message)
}
