/**
 * The worker: loads the module and answers for each picture. The page sends `{ wasm, pictures }`, pixels planar as stored; it
 * gets `{ index, scores, milliseconds }` for each, or `{ error }`.
 */
import { loadSync } from 'dyadic/runtime'

self.onmessage = ({ data: { wasm, pictures } }) => {
  try {
    const network = loadSync(wasm)
    const [[input], [output]] = [network.inputs, network.outputs]
    for (const [index, pixels] of pictures.entries()) {
      const start = performance.now()
      const scores = network.runInteger({ [input.name]: pixels })[output.name]
      self.postMessage({ index, scores, milliseconds: performance.now() - start })
    }
  } catch (error) {
    self.postMessage({ error: error.message })
  }
}
