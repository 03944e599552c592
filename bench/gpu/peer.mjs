/**
 * onnxruntime-web's WebGPU provider in float32 on the same adapter: a square MatMul and single convolutions with operands that
 * stay on the device, and whole networks with inputs and outputs copied, as its users run them.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { warmUp } from './clock.mjs'
import { layers, multiplications } from './layers.mjs'
import { writeModel } from './onnx-model.mjs'

const PEER = 'onnxruntime-web webgpu fp32'
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const round = (value) => Number(value.toPrecision(5))
const wave = (length) => Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 101 - 0.5)
const size = (dims) => dims.reduce((product, extent) => product * extent, 1)

/** The peer on a GPU; `folder` is its package's `dist`. */
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

/** Milliseconds of a run whose operands and results stay on the device: medians of groups of `times` runs. */
async function timeOnDevice(ort, model, operands, times, groups = 5) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  })
  const device = await ort.env.webgpu.device
  const buffers = []
  const feeds = Object.fromEntries(
    Object.entries(operands).map(([name, dims]) => {
      const buffer = device.createBuffer({ size: size(dims) * 4, usage: 0x8c })
      buffers.push(buffer)
      device.queue.writeBuffer(buffer, 0, wave(size(dims)))
      return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims })]
    }),
  )
  const group = async (count) => {
    for (let i = 0; i < count; i++) for (const tensor of Object.values(await session.run(feeds))) tensor.dispose()
    await device.queue.onSubmittedWorkDone()
  }
  await warmUp(() => group(Math.min(times, 3)))
  const spans = []
  for (let i = 0; i < groups; i++) {
    const start = performance.now()
    await group(times)
    spans.push((performance.now() - start) / times)
  }
  await session.release()
  for (const buffer of buffers) buffer.destroy()
  return median(spans)
}

export async function peerGemm(ort, sizes, times) {
  const rows = []
  for (const side of sizes) {
    const dims = [side, side]
    const model = writeModel({
      name: 'product',
      nodes: [{ op: 'MatMul', inputs: ['A', 'B'], output: 'C' }],
      constants: new Map(),
      inputs: { A: dims, B: dims },
      outputs: { C: dims },
    })
    const ms = await timeOnDevice(ort, model, { A: dims, B: dims }, times)
    rows.push({ peer: PEER, size: side, ms: round(ms), tops: round((2 * side ** 3) / ms / 1e9) })
    console.error(JSON.stringify(rows.at(-1)))
  }
  return rows
}

/** Convolutions of one model that share its input: what a call costs besides is divided among them. */
const COPIES = 8

export async function peerConvolutions(ort, { batches, times, until, only = /./ }) {
  const rows = []
  for (const layer of layers.filter(({ name }) => only.test(name)))
    for (const batch of batches) {
      if (performance.now() > until) break
      const row = { peer: PEER, layer: layer.name, batch }
      rows.push(row)
      try {
        const { side, inputs, outputs, kernel, stride, groups, pad, outputSide } = layer
        const perOutput = inputs / groups
        const constants = new Map()
        const names = Array.from({ length: COPIES }, (_, i) => `y${i}`)
        const nodes = names.map((output, i) => {
          const weights = wave(outputs * perOutput * kernel ** 2).map((value) => value + i / 64)
          constants.set(`w${i}`, { data: weights, dims: [outputs, perOutput, kernel, kernel] })
          constants.set(`b${i}`, { data: wave(outputs), dims: [outputs] })
          const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
          return { op: 'Conv', inputs: ['x', `w${i}`, `b${i}`], output, attributes: { ...window, group: groups } }
        })
        const x = [batch, inputs, side, side]
        const y = [batch, outputs, outputSide, outputSide]
        const outputPorts = Object.fromEntries(names.map((name) => [name, y]))
        const model = writeModel({ name: 'layer', nodes, constants, inputs: { x }, outputs: outputPorts })
        const ms = (await timeOnDevice(ort, model, { x }, times)) / COPIES
        row.us = round(1000 * ms)
        row.tops = round((2 * multiplications(layer) * batch) / ms / 1e9)
      } catch (error) {
        row.error = String(error).slice(0, 600)
      }
      console.error(JSON.stringify(row))
    }
  return rows
}

/**
 * Whole networks.
 * @param {{ name: string, bytes(batch: number): Uint8Array }[]} models
 */
export async function peerNetworks(ort, models, { batches, times, until }) {
  const rows = []
  for (const { name, bytes } of models)
    for (const batch of batches) {
      if (performance.now() > until) break
      const row = { peer: PEER, network: name, batch }
      rows.push(row)
      try {
        const model = bytes(batch)
        const start = performance.now()
        const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'] })
        const [{ name: input, shape }] = session.inputMetadata
        const dims = shape.map((extent, axis) => (axis === 0 ? batch : extent))
        const data = wave(size(dims))
        const run = async () => session.run({ [input]: new ort.Tensor('float32', data, dims) })
        await run()
        row.firstAnswerMs = round(performance.now() - start)
        await warmUp(run)
        const spans = []
        for (let i = 0; i < times && (i < 5 || performance.now() < until); i++) {
          const begin = performance.now()
          await run()
          spans.push(performance.now() - begin)
        }
        row.runMs = round(median(spans))
        row.runs = spans.length
        await session.release()
      } catch (error) {
        row.error = String(error).slice(0, 600)
      }
      console.error(JSON.stringify(row))
    }
  return rows
}
