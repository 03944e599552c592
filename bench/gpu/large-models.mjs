/**
 * ResNet-50, DeiT-Small and the encoder of BERT-base at 128 positions with random weights, as ONNX bytes that depend on name
 * and batch alone: the same on every machine, so that only plans and hashes have to travel. BERT's input are 128 embeddings.
 * The arithmetic of the weights is one multiplication and one rounding to float32 each.
 */
import { randomUint32 } from '../../dist/num/random.js'
import { writeModel } from './onnx-model.mjs'

const SEED = 50

/** Nodes and constants that grow together; values are named by number. */
function createNet(batch) {
  const nodes = []
  const constants = new Map()
  let draws = 0
  const add = (op, inputs, attributes) => {
    const output = `${op}${nodes.length}`
    nodes.push({ op, inputs, output, attributes })
    return output
  }
  const keep = (data, dims) => {
    const name = `constant${constants.size}`
    constants.set(name, { data, dims })
    return name
  }
  /** Uniform values of mean 0. */
  const draw = (count, deviation) => {
    const data = new Float32Array(count)
    const unit = (deviation * Math.sqrt(3)) / 2 ** 31
    let state = randomUint32(SEED, draws++, 0) | 1
    for (let i = 0; i < data.length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      data[i] = state * unit
    }
    return data
  }
  const weight = (dims, deviation) =>
    keep(
      draw(
        dims.reduce((product, size) => product * size, 1),
        deviation,
      ),
      dims,
    )
  const scalar = (value) => keep(Float32Array.of(value), [])
  const shape = (dims) => keep(BigInt64Array.from(dims, BigInt), [dims.length])
  return { batch, nodes, constants, add, keep, draw, weight, scalar, shape }
}

const finish = (name, { nodes, constants }, input, output) =>
  writeModel({ name, nodes, constants, inputs: { x: input }, outputs: { [nodes.at(-1).output]: output } })

function classifier(net, x, depth) {
  return net.add('Gemm', [x, net.weight([1000, depth], 1 / Math.sqrt(depth)), net.weight([1000], 0.05)], { transB: 1 })
}

function resnet50(batch) {
  const net = createNet(batch)
  const convolve = (x, inputs, outputs, kernel, stride, gain = 1) => {
    const pad = (kernel - 1) >> 1
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
    const deviation = gain * Math.sqrt(2 / (inputs * kernel * kernel))
    return net.add(
      'Conv',
      [x, net.weight([outputs, inputs, kernel, kernel], deviation), net.weight([outputs], 0.1)],
      window,
    )
  }
  const relu = (x) => net.add('Relu', [x])
  let x = relu(convolve('x', 3, 64, 7, 2))
  x = net.add('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  let channels = 64
  for (const [stage, blocks] of [3, 4, 6, 3].entries())
    for (let block = 0; block < blocks; block++) {
      const [width, stride] = [64 << stage, block === 0 && stage > 0 ? 2 : 1]
      let y = relu(convolve(x, channels, width, 1, 1))
      y = relu(convolve(y, width, width, 3, stride))
      y = convolve(y, width, 4 * width, 1, 1, 0.4)
      const same = channels === 4 * width
      const left = same ? x : convolve(x, channels, 4 * width, 1, stride, 0.7)
      x = relu(net.add('Add', [y, left]))
      channels = 4 * width
    }
  classifier(net, net.add('Flatten', [net.add('GlobalAveragePool', [x])], { axis: 1 }), channels)
  return finish('resnet50', net, [batch, 3, 224, 224], [batch, 1000])
}

/** Twelve layers of attention and of two products with GELU between, normalised before or after each. */
function encoder(net, input, { width, heads, positions, before }) {
  const { batch } = net
  const linear = (x, inputs, outputs, gain = 1) => {
    const product = net.add('MatMul', [x, net.weight([inputs, outputs], gain / Math.sqrt(inputs))])
    return net.add('Add', [product, net.weight([outputs], 0.02)])
  }
  const normalise = (x) => {
    const gamma = net.keep(new Float32Array(width).fill(1), [width])
    return net.add('LayerNormalization', [x, gamma, net.keep(new Float32Array(width), [width])], { axis: 2 })
  }
  const perHead = net.shape([batch, positions, heads, width / heads])
  const whole = net.shape([batch, positions, width])
  const [share, root, one, half] = [Math.sqrt(heads / width), Math.SQRT2, 1, 0.5].map(net.scalar)
  const split = (x, perm) => net.add('Transpose', [net.add('Reshape', [linear(x, width, width), perHead])], { perm })
  const attention = (x) => {
    const [queries, keys] = [split(x, [0, 2, 1, 3]), split(x, [0, 2, 3, 1])]
    const values = split(x, [0, 2, 1, 3])
    const scores = net.add('Mul', [net.add('MatMul', [queries, keys]), share])
    const mixed = net.add('MatMul', [net.add('Softmax', [scores], { axis: 3 }), values])
    const joined = net.add('Reshape', [net.add('Transpose', [mixed], { perm: [0, 2, 1, 3] }), whole])
    return linear(joined, width, width, 0.5)
  }
  const forward = (x) => {
    const y = linear(x, width, 4 * width)
    const error = net.add('Add', [net.add('Erf', [net.add('Div', [y, root])]), one])
    return linear(net.add('Mul', [net.add('Mul', [y, error]), half]), 4 * width, width, 0.5)
  }
  let x = input
  for (let layer = 0; layer < 12; layer++)
    for (const part of [attention, forward])
      x = before ? net.add('Add', [x, part(normalise(x))]) : normalise(net.add('Add', [x, part(x)]))
  return before ? normalise(x) : x
}

function deitSmall(batch) {
  const net = createNet(batch)
  const width = 384
  const patches = net.add(
    'Conv',
    ['x', net.weight([width, 3, 16, 16], 1 / Math.sqrt(768)), net.weight([width], 0.02)],
    {
      kernel_shape: [16, 16],
      strides: [16, 16],
      pads: [0, 0, 0, 0],
    },
  )
  const rows = net.add('Transpose', [net.add('Reshape', [patches, net.shape([batch, width, 196])])], {
    perm: [0, 2, 1],
  })
  const token = net.draw(width, 1)
  const tokens = Float32Array.from({ length: batch * width }, (_, i) => token[i % width])
  let x = net.add('Concat', [net.keep(tokens, [batch, 1, width]), rows], { axis: 1 })
  x = net.add('Add', [x, net.weight([1, 197, width], 0.1)])
  x = encoder(net, x, { width, heads: 6, positions: 197, before: true })
  const first = net.keep(BigInt64Array.of(0n), [])
  classifier(net, net.add('Gather', [x, first], { axis: 1 }), width)
  return finish('deit-small', net, [batch, 3, 224, 224], [batch, 1000])
}

function bertBase128(batch) {
  const net = createNet(batch)
  encoder(net, 'x', { width: 768, heads: 12, positions: 128, before: false })
  return finish('bert-base-128', net, [batch, 128, 768], [batch, 128, 768])
}

/** A model's ONNX bytes by name, for a batch. @type {Record<string, (batch: number) => Uint8Array<ArrayBuffer>>} */
export const largeModels = { resnet50, 'deit-small': deitSmall, 'bert-base-128': bertBase128 }
