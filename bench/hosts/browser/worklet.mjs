/** An audio worklet: gets the job in `processorOptions`. There is no fetch, URL, atob, TextDecoder or crypto here. */
import { executeSync } from '/execute.mjs'
import { loadSync } from '/runtime/index.js'

registerProcessor(
  'dyadic-host',
  class extends AudioWorkletProcessor {
    constructor({ processorOptions }) {
      super()
      try {
        this.port.postMessage({ outputs: executeSync(loadSync, processorOptions.cases) })
      } catch (error) {
        this.port.postMessage({ error: String(error?.stack ?? error) })
      }
    }
    process() {
      return false
    }
  },
)
