/**
 * The parts of transformers that are no products of weights: Softmax, GELU and LayerNormalization over 1024 rows of 1024
 * values, and the core of an attention layer (scores, softmax and context of DeiT-Tiny's three heads). The peer runs them in
 * float32, since its 8-bit networks do. Ours are programs that go the whole path, from a float graph and a plan for values
 * of a normal distribution.
 *
 * A case gives two rows as in the suite `kernels`: the exported `run` on integers in memory, and "with rim".
 */
import { compile, makeGraph, parsePlan } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { writeOnnx } from '../peers/onnx-writer.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { decibels, normal } from './drawn.mjs'
import { readModel } from './peers-bench.mjs'
import { makeRow } from './row.mjs'

const rows = [1024, 1024]
const heads = [1, 3, 197, 64]
const LEAST_DECIBELS = 20

const rowwise = (operator, file, attributes = {}, constants = {}) => ({
  ...{ shape: rows, constants, file },
  nodes: [{ operator, inputs: ['x', ...Object.keys(constants)], outputs: ['y'], attributes }],
})
const softmax = rowwise('Softmax', 'k_softmax_1m.fp32.onnx', { axis: 1 })
const gelu = rowwise('Gelu', 'k_gelu_1m.fp32.onnx')
const layernorm = rowwise(...['LayerNormalization', 'k_layernorm_1m.fp32.onnx', { axis: 1 }], {
  gamma: { shape: [1024], data: new Float32Array(1024).fill(1) },
  beta: { shape: [1024], data: new Float32Array(1024) },
})
const attention = {
  shape: heads,
  nodes: [
    { operator: 'Transpose', inputs: ['x'], outputs: ['turned'], attributes: { perm: [0, 1, 3, 2] } },
    { operator: 'MatMul', inputs: ['x', 'turned'], outputs: ['products'] },
    { operator: 'Mul', inputs: ['products', 'share'], outputs: ['scores'] },
    { operator: 'Softmax', inputs: ['scores'], outputs: ['weights'], attributes: { axis: 3 } },
    { operator: 'MatMul', inputs: ['weights', 'x'], outputs: ['y'] },
  ],
  constants: { share: { shape: [], data: Float32Array.of(1 / 8) } },
  multiplications: 2 * 3 * 197 * 197 * 64,
}
const s8 = (scale, zeroPoint = 0) => ({ format: 's8', scale, zeroPoint })
const s16 = (scale) => ({ format: 's16', scale, zeroPoint: 0 })

/** Cases: our graph, the numbers of its input and its other values, and the peer's file unless it is written from the graph. */
const cases = {
  softmax_1m: { ...softmax, numbers: { x: s8(0.04), y: s8(2 ** -12, -128) } },
  softmax_1m_s16: { ...softmax, numbers: { x: s16(0.00016), y: s16(2 ** -15) } },
  gelu_1m: { ...gelu, numbers: { x: s8(0.04), y: s8(0.021, -120) } },
  gelu_1m_s16: { ...gelu, numbers: { x: s16(0.00016), y: s16(0.00016) } },
  layernorm_1m: { ...layernorm, numbers: { x: s8(0.04), y: s8(0.04) } },
  layernorm_1m_s16_to_s8: { ...layernorm, numbers: { x: s16(0.00016), y: s8(0.04) } },
  attention_3_197_64: {
    ...attention,
    numbers: { x: s8(0.04), scores: s16(0.0006), weights: s16(2 ** -15), y: s8(0.04) },
  },
}

/** The peer's form of a graph whose operators opset 13 has. */
function written({ shape, nodes, constants }) {
  const float = { type: Float32Array, dims: shape }
  return writeOnnx({
    nodes: nodes.map(({ operator, ...node }) => ({ op: operator, ...node })),
    initializers: Object.fromEntries(
      Object.entries(constants).map(([name, { shape: dims, data }]) => [name, { dims, data }]),
    ),
    inputs: { x: float },
    outputs: { y: float },
  })
}

async function measureKernel(name, models, options) {
  const { shape, nodes, constants, numbers, file, multiplications } = cases[name]
  const graph = makeGraph({
    ...{ name, nodes, constants, outputs: ['y'] },
    inputs: [{ name: 'x', type: 'float32', shape }],
  })
  const count = shape.reduce((product, size) => product * size, 1)
  const { x, ...tensors } = numbers
  const program = compile(
    graph,
    parsePlan(
      {
        ...{ schema: 1, kind: 'dyadic-plan', model: name, origin: { method: 'by hand' } },
        inputs: { x: { ...x, scale: [x.scale], zeroPoint: [x.zeroPoint], layout: 'nchw' } },
        ...{ tensors, weights: {} },
      },
      name,
    ),
  )
  const network = loadSync(program.wasm)
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(program.wasm)).exports
  const data = normal(count, 1000)
  const [port] = program.manifest.inputs
  const [array, high] = port.format === 's8' ? [Int8Array, 127] : [Int16Array, 32767]
  const codes = new array(memory.buffer, port.offset, count)
  for (let i = 0; i < count; i++) codes[i] = Math.min(high, Math.max(~high, Math.floor(data[i] / x.scale + 0.5)))
  const peer = await createOrtWeb(file === undefined ? written(cases[name]) : readModel(models, file))
  const feeds = { x: { data, dims: [...shape] } }
  const near = decibels((await peer.run(feeds)).y.data, network.run({ x: data }).y)
  if (!(near > LEAST_DECIBELS))
    throw new Error(`${name}: ours is ${near} dB from the peer's float; that is another function`)
  const { timings } = await measure(
    { ours: () => run(), 'ours with rim': () => void network.run({ x: data }), 'ort-web fp32': () => peer.run(feeds) },
    options,
  )
  await peer.release()
  const plan = `${port.format} input, ${numbers.y.format} output, ${near.toFixed(1)} dB from the peer's float on normal draws`
  return [
    makeRow({ name, ours: 'ours', peers: /fp32/, timings, plan, multiplications }),
    makeRow({ name: `${name} with rim`, ours: 'ours with rim', peers: /fp32/, timings, plan, multiplications }),
  ]
}

/**
 * @param {string} models Folder of the peer's models.
 * @param {object} options Of `measure`.
 * @param {(text: string) => void} report
 */
export async function transformerKernelRows(models, options, report) {
  const found = []
  for (const name of Object.keys(cases)) {
    report(`transformers: ${name}`)
    found.push(...(await measureKernel(name, models, options)))
  }
  return found
}
