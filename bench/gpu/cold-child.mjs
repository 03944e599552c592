/**
 * One cold start: from the first line of this file to the first outputs, with the network's bytes in memory. Prints the
 * milliseconds as JSON.
 *
 * node bench/gpu/cold-child.mjs ours <name.gpu> <level> | peer <name.onnx> <dist folder of onnxruntime-web>
 */
const start = performance.now()
const [kind, path, choice] = process.argv.slice(2)
const { readFileSync } = await import('node:fs')
const { createGpu } = await import('./dawn.mjs')
const bytes = new Uint8Array(readFileSync(path))
const read = performance.now()
const gpu = await createGpu()

async function ours() {
  const { load } = await import('../../dist/runtime/gpu/index.js')
  const network = await load(bytes, { gpu, level: choice })
  const loaded = performance.now()
  const arrays = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array }
  await network.runInteger(
    Object.fromEntries(network.inputs.map(({ name, format, count }) => [name, new arrays[format](count)])),
  )
  return { loaded, runsOn: network.level, refused: network.refused }
}

async function peer() {
  const { openPeer } = await import('./peer.mjs')
  const ort = await openPeer(gpu, choice)
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['webgpu'] })
  const loaded = performance.now()
  const [{ name, shape }] = session.inputMetadata
  const dims = shape.map((extent) => (typeof extent === 'number' ? extent : 1))
  const data = new Float32Array(dims.reduce((product, extent) => product * extent, 1))
  await session.run({ [name]: new ort.Tensor('float32', data, dims) })
  return { loaded }
}

const { loaded, ...rest } = await (kind === 'ours' ? ours() : peer())
const end = performance.now()
console.log(
  JSON.stringify({ readMs: read - start, loadMs: loaded - read, firstRunMs: end - loaded, ms: end - start, ...rest }),
)
process.exit(0)
