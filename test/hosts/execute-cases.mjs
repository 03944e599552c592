/**
 * Executes a job on whatever host this file was loaded by: a Node child or a browser page. Plain JavaScript without
 * imports, so that both load the very same file.
 */

const constructors = { Uint8Array, Int8Array, Int32Array }

function decodeBase64(text) {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index)
  return bytes
}

function decodeSample(sample) {
  return Object.fromEntries(
    sample.map(({ name, type, base64 }) => [name, new constructors[type](decodeBase64(base64).buffer)]),
  )
}

export async function hashOutputs(outputs) {
  const views = Object.values(outputs)
  const joined = new Uint8Array(views.reduce((length, view) => length + view.byteLength, 0))
  let offset = 0
  for (const view of views) {
    joined.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), offset)
    offset += view.byteLength
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', joined))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export async function executeCases(load, job) {
  const hashes = []
  for (const { wasm, samples } of job.cases) {
    const network = await load(decodeBase64(wasm))
    const caseHashes = []
    for (const sample of samples) caseHashes.push(await hashOutputs(await network.runInteger(decodeSample(sample))))
    hashes.push(caseHashes)
  }
  return hashes
}
