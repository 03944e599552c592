/** Runs the job in every kind of place that a page has, one after another, and posts all answers. */
import { decodeJob, execute, hashAll } from '/execute.mjs'
import { load } from '/runtime/index.js'

const cases = decodeJob(await (await fetch('/job.json')).json())

/** Settles with the first message of a port, fails on errors. */
const answered = (port, source = port) =>
  new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data))
    source.onerror = (event) => reject(new Error(event.message ?? 'failed to load'))
  })

const places = {
  async page() {
    return hashAll(await execute(load, cases))
  },
  async worker() {
    const worker = new Worker('/browser/worker.mjs', { type: 'module' })
    const answer = answered(worker)
    worker.postMessage(cases)
    return hashAll((await answer).outputs)
  },
  async worklet() {
    const context = new OfflineAudioContext(1, 128, 44100)
    await context.audioWorklet.addModule('/browser/worklet.mjs')
    const node = new AudioWorkletNode(context, 'dyadic-host', { processorOptions: { cases } })
    const answer = answered(node.port, node)
    node.onprocessorerror = () => node.port.onmessage({ data: { error: 'the processor failed' } })
    await context.startRendering()
    return hashAll((await answer).outputs)
  },
  async strict() {
    const frame = document.createElement('iframe')
    frame.src = '/browser/strict.html'
    const answer = new Promise((resolve, reject) => {
      addEventListener('message', ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.hashes)), {
        once: true,
      })
    })
    document.body.append(frame)
    return answer
  },
}

const answers = {}
for (const [name, run] of Object.entries(places)) {
  try {
    answers[name] = { hashes: await run() }
  } catch (error) {
    answers[name] = { error: String(error?.stack ?? error) }
  }
}
await fetch('/answer', { method: 'POST', body: JSON.stringify({ engine: navigator.userAgent, answers }) })
