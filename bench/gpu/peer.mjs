/**
 * onnxruntime-web's WebGPU provider in float32 on the same adapter: a square MatMul with operands that stay on the device,
 * and whole networks with inputs and outputs copied, as its users run them. ORT_WEB names its `dist` folder.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const round = (value) => Number(value.toFixed(4))

export async function openPeer(gpu, folder) {
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'node', hardwareConcurrency: 4, platform: 'linux' },
    configurable: true,
  })
  const url = (name) => pathToFileURL(`${folder}/${name}`).href
  const ort = await import(url('ort.webgpu.bundle.min.mjs'))
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmPaths = {
    wasm: url('ort-wasm-simd-threaded.asyncify.wasm'),
    mjs: url('ort-wasm-simd-threaded.asyncify.mjs'),
  }
  ort.env.wasm.wasmBinary = readFileSync(`${folder}/ort-wasm-simd-threaded.asyncify.wasm`)
  return ort
}

/** A protocol-buffer field of bytes or of a number, enough for a model of one node. */
const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)])
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content]
const number = (field, value) => [...varint(field << 3), ...varint(value)]
const text = (value) => [...new TextEncoder().encode(value)]

function productModel(size) {
  const shape = [size, size].flatMap((extent) => bytes(1, number(1, extent)))
  const value = (name) => [...bytes(1, text(name)), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, shape)]))]
  const node = [...bytes(1, text('A')), ...bytes(1, text('B')), ...bytes(2, text('C')), ...bytes(4, text('MatMul'))]
  const graph = [
    ...bytes(1, node),
    ...bytes(2, text('g')),
    ...bytes(11, value('A')),
    ...bytes(11, value('B')),
    ...bytes(12, value('C')),
  ]
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, [...bytes(1, []), ...number(2, 13)])])
}

export async function peerGemm(ort, sizes, times) {
  const rows = []
  for (const size of sizes) {
    const session = await ort.InferenceSession.create(productModel(size), {
      executionProviders: ['webgpu'],
      preferredOutputLocation: 'gpu-buffer',
    })
    const device = await ort.env.webgpu.device
    const operand = () => {
      const buffer = device.createBuffer({ size: size * size * 4, usage: 0x8c })
      device.queue.writeBuffer(
        buffer,
        0,
        Float32Array.from({ length: size * size }, (_, i) => ((i * 37) % 101) / 101 - 0.5),
      )
      return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [size, size] })
    }
    const feeds = { A: operand(), B: operand() }
    const group = async (count) => {
      for (let i = 0; i < count; i++) (await session.run(feeds)).C.dispose()
      await device.queue.onSubmittedWorkDone()
    }
    await group(Math.min(times, 5))
    const spans = []
    for (let i = 0; i < 7; i++) {
      const start = performance.now()
      await group(times)
      spans.push((performance.now() - start) / times)
    }
    const ms = median(spans)
    rows.push({
      peer: 'onnxruntime-web webgpu fp32',
      size,
      ms: round(ms),
      tops: Number(((2 * size ** 3) / ms / 1e9).toFixed(2)),
    })
    console.error(JSON.stringify(rows.at(-1)))
    await session.release()
  }
  return rows
}

/** Whole networks; batches that the file's fixed shapes refuse are reported as such. */
export async function peerNetworks(ort, folder, names, batches, times) {
  const rows = []
  for (const name of names)
    for (const batch of batches) {
      const row = { peer: 'onnxruntime-web webgpu fp32', network: name, batch }
      rows.push(row)
      try {
        const start = performance.now()
        const session = await ort.InferenceSession.create(readFileSync(`${folder}/${name}.onnx`), {
          executionProviders: ['webgpu'],
        })
        const [{ name: input, shape }] = session.inputMetadata
        const dims = shape.map((extent, axis) => (axis === 0 ? batch : extent))
        const data = Float32Array.from(
          { length: dims.reduce((total, extent) => total * extent, 1) },
          (_, i) => ((i * 37) % 101) / 101 - 0.5,
        )
        const run = async () => session.run({ [input]: new ort.Tensor('float32', data, dims) })
        await run()
        row.firstAnswerMs = round(performance.now() - start)
        const spans = []
        for (let i = 0; i < times; i++) {
          const begin = performance.now()
          await run()
          spans.push(performance.now() - begin)
        }
        row.runMs = round(median(spans))
        await session.release()
      } catch (error) {
        row.error = String(error).slice(0, 600)
      }
      console.error(JSON.stringify(row))
    }
  return rows
}
