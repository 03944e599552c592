/** A dedicated worker: gets the job as bytes, compiles without waiting, posts the outputs' bytes. */
import { executeSync } from '/execute.mjs'
import { loadSync } from '/runtime/index.js'

self.onmessage = ({ data }) => {
  try {
    self.postMessage({ outputs: executeSync(loadSync, data) })
  } catch (error) {
    self.postMessage({ error: String(error?.stack ?? error) })
  }
}
