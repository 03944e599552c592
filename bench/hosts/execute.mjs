/**
 * Executes a job on whatever host has loaded this file: a process, a page, a worker. Plain JavaScript without imports. A job
 * is compiled networks (base64) with integer inputs; the answer is the outputs' bytes, or their SHA-256 where the host can.
 */

const ARRAYS = { Uint8Array, Int8Array, Int16Array, Int32Array }

/** Base64 as bytes, where `atob` is. */
export function decodeBase64(text) {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index)
  return bytes
}

/** The job with bytes in place of base64: what can be posted to a worker or a worklet. */
export function decodeJob({ cases }) {
  return cases.map(({ wasm, samples }) => ({
    wasm: decodeBase64(wasm),
    samples: samples.map((inputs) =>
      Object.fromEntries(inputs.map(({ name, type, base64 }) => [name, new ARRAYS[type](decodeBase64(base64).buffer)])),
    ),
  }))
}

/** Outputs of every case and sample, joined to one array of bytes each. Compiles without waiting: a worklet cannot wait. */
export function executeSync(loadSync, cases) {
  return cases.map(({ wasm, samples }) => {
    const network = loadSync(wasm)
    return samples.map((inputs) => joined(network.runInteger(inputs)))
  })
}

/** The same with the loader that waits, which pages need for large modules. */
export async function execute(load, cases) {
  const outputs = []
  for (const { wasm, samples } of cases) {
    const network = await load(wasm)
    outputs.push(samples.map((inputs) => joined(network.runInteger(inputs))))
  }
  return outputs
}

/** Hexadecimal SHA-256 of each sample's output bytes. */
export async function hashAll(outputs) {
  const hashes = []
  for (const samples of outputs) {
    const row = []
    for (const bytes of samples) {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      row.push(Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''))
    }
    hashes.push(row)
  }
  return hashes
}

/** The bytes of all outputs, in the order of the record. */
export function joined(outputs) {
  const views = Object.values(outputs)
  const bytes = new Uint8Array(views.reduce((length, view) => length + view.byteLength, 0))
  let offset = 0
  for (const view of views) {
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), offset)
    offset += view.byteLength
  }
  return bytes
}

/** Hexadecimal SHA-256 of the bytes of all outputs. */
export async function hashOutputs(outputs) {
  const [[hash]] = await hashAll([[joined(outputs)]])
  return hash
}
