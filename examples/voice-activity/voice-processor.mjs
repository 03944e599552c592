/**
 * The AudioWorklet's part: gets the compiled module in `processorOptions`, collects what it hears to windows, and posts
 * `{ code, probability }` for each, or `{ error }`. There is no fetch, URL, atob or TextDecoder here, and none is needed.
 */
import { loadSync } from 'dyadic/runtime'
import { beginListening, WINDOW } from './listen.mjs'

registerProcessor(
  'voice',
  class extends AudioWorkletProcessor {
    constructor({ processorOptions: { module } }) {
      super()
      this.window = new Float32Array(WINDOW)
      this.filled = 0
      this.attempt(() => {
        this.listener = beginListening(loadSync(module))
      })
    }

    /** Posts why where `work` fails. */
    attempt(work) {
      try {
        work()
        return true
      } catch (error) {
        this.port.postMessage({ error: error.message })
        return false
      }
    }

    process([[samples]]) {
      if (this.listener === undefined) return false
      // Before the source begins and after it ends there is no channel.
      if (samples === undefined) return true
      // A quantum has 128 samples: four fill a window exactly.
      this.window.set(samples, this.filled)
      this.filled += samples.length
      if (this.filled < WINDOW) return true
      this.filled = 0
      return this.attempt(() => this.port.postMessage(this.listener.next(this.window)))
    }
  },
)
