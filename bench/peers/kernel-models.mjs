/**
 * The kernel cases of the benches: one operator each, as ONNX models for the peers and as plain integers for ours.
 *
 * Every case has the same integers in all its forms: u8 activations with zero point 128 and s8 weights, drawn from a
 * seeded generator, with scales that spread the requantised outputs over most of the 8-bit range.
 *
 *   fp32           MatMul or Conv on float32: (u8 − 128) · activationScale and s8 · weightScale
 *   integer        MatMulInteger, u8 × s8 → s32 (products only; no requantisation)
 *   qlinear        QLinearMatMul or QLinearConv, u8 × s8 → u8
 *   qdq            the same between QuantizeLinear and DequantizeLinear, float32 at the rim
 */
import { writeOnnx } from './onnx-writer.mjs'

const activationScale = 0.02
const activationZeroPoint = 128
const outputZeroPoint = 128

/**
 * @typedef {{ data: Float32Array | Uint8Array | Int8Array, dims: number[] }} Feed
 * @typedef {{ onnx: Uint8Array, feeds: Record<string, Feed> }} Form
 * @typedef {{
 *   name: string,
 *   multiplications: number,
 *   activations: Uint8Array,
 *   weights: Int8Array,
 *   activationScale: number, activationZeroPoint: number,
 *   weightScales: Float32Array,
 *   outputScale: number, outputZeroPoint: number,
 *   forms: Record<string, Form>,
 * }} KernelCase
 */

/** xorshift32: the n bytes after the seed. */
function randomBytes(count, seed) {
  const bytes = new Uint8Array(count)
  let state = seed | 1
  for (let index = 0; index < count; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Activations, weights in −127…127 and scales; the output's scale puts three standard deviations at 120 codes. */
function draw(activationCount, weightCount, outputChannels, depth) {
  const activations = randomBytes(activationCount, 0x2545f491)
  const weights = Int8Array.from(randomBytes(weightCount, 0x9e3779b9), (byte) => Math.max(byte - 128, -127))
  const weightScales = Float32Array.from(
    { length: outputChannels },
    (_, channel) => 0.008 + 0.004 * ((channel % 7) / 7),
  )
  const deviation = (256 / Math.sqrt(12)) ** 2 * Math.sqrt(depth)
  return {
    activations,
    weights,
    weightScales,
    outputScale: Math.fround((deviation * activationScale * 0.01 * 3) / 120),
  }
}

const scalar = (data) => ({ data, dims: [] })
const floats = (values) => Float32Array.from(values)

function quantisationConstants(weightScales, outputScale) {
  const channels = weightScales.length
  return {
    x_scale: scalar(floats([activationScale])),
    x_zero_point: scalar(Uint8Array.of(activationZeroPoint)),
    w_scale: { data: weightScales, dims: [channels] },
    w_zero_point: { data: new Int8Array(channels), dims: [channels] },
    y_scale: scalar(floats([outputScale])),
    y_zero_point: scalar(Uint8Array.of(outputZeroPoint)),
  }
}

/** The same operator between quantisers: x → Q → DQ → operator(w → DQ) → Q → DQ → y. */
function betweenQuantisers(operator, axis) {
  return [
    { op: 'QuantizeLinear', inputs: ['x', 'x_scale', 'x_zero_point'], outputs: ['x_codes'] },
    { op: 'DequantizeLinear', inputs: ['x_codes', 'x_scale', 'x_zero_point'], outputs: ['x_real'] },
    { op: 'DequantizeLinear', inputs: ['w', 'w_scale', 'w_zero_point'], outputs: ['w_real'], attributes: { axis } },
    { ...operator, inputs: ['x_real', 'w_real'], outputs: ['y_real'] },
    { op: 'QuantizeLinear', inputs: ['y_real', 'y_scale', 'y_zero_point'], outputs: ['y_codes'] },
    { op: 'DequantizeLinear', inputs: ['y_codes', 'y_scale', 'y_zero_point'], outputs: ['y'] },
  ]
}

const qlinearInputs = ['x', 'x_scale', 'x_zero_point', 'w', 'w_scale', 'w_zero_point', 'y_scale', 'y_zero_point']

/** The forms that matrix products and convolutions share; `channelOf` gives a weight's output channel. */
function commonForms({ drawn, operator, axis, xDims, wDims, yDims, channelOf, qlinearAttributes }) {
  const { activations, weights, weightScales, outputScale } = drawn
  const realActivations = Float32Array.from(activations, (code) => (code - activationZeroPoint) * activationScale)
  const realWeights = Float32Array.from(weights, (code, index) => code * weightScales[channelOf(index)])
  const constants = quantisationConstants(weightScales, outputScale)
  const codes = { data: weights, dims: wDims }
  const float = {
    inputs: { x: { type: Float32Array, dims: xDims } },
    outputs: { y: { type: Float32Array, dims: yDims } },
  }
  const real = { x: { data: realActivations, dims: xDims } }
  return {
    fp32: {
      feeds: real,
      onnx: writeOnnx({
        nodes: [{ ...operator, inputs: ['x', 'w'], outputs: ['y'] }],
        initializers: { w: { data: realWeights, dims: wDims } },
        ...float,
      }),
    },
    qlinear: {
      feeds: { x: { data: activations, dims: xDims } },
      onnx: writeOnnx({
        nodes: [{ op: `QLinear${operator.op}`, inputs: qlinearInputs, outputs: ['y'], attributes: qlinearAttributes }],
        initializers: { w: codes, ...constants },
        inputs: { x: { type: Uint8Array, dims: xDims } },
        outputs: { y: { type: Uint8Array, dims: yDims } },
      }),
    },
    qdq: {
      feeds: real,
      onnx: writeOnnx({ nodes: betweenQuantisers(operator, axis), initializers: { w: codes, ...constants }, ...float }),
    },
  }
}

function describe(name, multiplications, drawn, forms) {
  return { name, multiplications, activationScale, activationZeroPoint, outputZeroPoint, ...drawn, forms }
}

/**
 * A matrix product, (M, K) activations by (K, N) weights, per-column weight scales.
 * @returns {KernelCase}
 */
export function matrixProduct(M, N, K) {
  const drawn = draw(M * K, K * N, N, K)
  const [xDims, wDims, yDims] = [
    [M, K],
    [K, N],
    [M, N],
  ]
  const operator = { op: 'MatMul' }
  const forms = commonForms({ drawn, operator, axis: 1, xDims, wDims, yDims, channelOf: (index) => index % N })
  forms.integer = {
    feeds: { x: { data: drawn.activations, dims: xDims } },
    onnx: writeOnnx({
      nodes: [{ op: 'MatMulInteger', inputs: ['x', 'w', 'x_zero_point', 'w_zero_point'], outputs: ['y'] }],
      initializers: {
        w: { data: drawn.weights, dims: wDims },
        x_zero_point: scalar(Uint8Array.of(activationZeroPoint)),
        w_zero_point: scalar(Int8Array.of(0)),
      },
      inputs: { x: { type: Uint8Array, dims: xDims } },
      outputs: { y: { type: Int32Array, dims: yDims } },
    }),
  }
  return describe(`gemm_${M}_${N}_${K}`, M * N * K, drawn, forms)
}

/**
 * A square convolution on (1, C, size, size) with stride 1 and padding that keeps the size; `depthwise` means one
 * filter per channel (then `outputs` equals `inputs`). Weights are (O, I, R, S), scales per output channel.
 * @returns {KernelCase}
 */
export function convolution({ inputs, outputs, size, kernel, depthwise = false }) {
  const perGroup = depthwise ? 1 : inputs
  const depth = perGroup * kernel * kernel
  const drawn = draw(inputs * size * size, outputs * depth, outputs, depth)
  const pad = (kernel - 1) / 2
  const attributes = {
    kernel_shape: [kernel, kernel],
    pads: [pad, pad, pad, pad],
    strides: [1, 1],
    group: depthwise ? inputs : 1,
  }
  const forms = commonForms({
    drawn,
    operator: { op: 'Conv', attributes },
    qlinearAttributes: attributes,
    axis: 0,
    xDims: [1, inputs, size, size],
    wDims: [outputs, perGroup, kernel, kernel],
    yDims: [1, outputs, size, size],
    channelOf: (index) => Math.floor(index / depth),
  })
  const name = depthwise
    ? `dw${kernel}x${kernel}_${inputs}_${size}`
    : `conv${kernel}x${kernel}_${inputs}_${outputs}_${size}`
  return describe(name, size * size * outputs * depth, drawn, forms)
}

/**
 * The kernel cases that the bench reports, made on demand.
 * @type {Record<string, () => KernelCase>}
 */
export const kernelCases = {
  gemm_197_192_768: () => matrixProduct(197, 192, 768),
  gemm_512_512_512: () => matrixProduct(512, 512, 512),
  conv3x3_64_64_56: () => convolution({ inputs: 64, outputs: 64, size: 56, kernel: 3 }),
  dw3x3_96_112: () => convolution({ inputs: 96, outputs: 96, size: 112, kernel: 3, depthwise: true }),
}
