/**
 * A float network as a QDQ file, so that the peer has an 8-bit form of networks that come without one: u8 activations with
 * zero point (calibrated as ours are, on the same samples), s8 weights per output channel, s32 biases, float32 at the rim.
 *
 * Batch normalisation and activations are fused first; a Relu that the zero point implies is left out, so that the peer's
 * optimiser finds its quantised operators. Knows the operators of the bench's networks, and refuses others.
 */
import { fuse } from '../../dist/graph/fuse.js'
import { simplify } from '../../dist/graph/simplify.js'
import { readNumbers } from '../../dist/graph/tensor.js'
import { calibrate } from '../../dist/quantize/calibrate.js'
import { activationPlan } from '../../dist/quantize/scales.js'
import { writeOnnx } from '../peers/onnx-writer.mjs'

const scalar = (data) => ({ data, dims: [] })
/** Operators whose result has their input's numbers, with the attributes that count. */
const sameNumbers = new Map([
  ['MaxPool', ['kernel_shape', 'strides', 'pads']],
  ['Reshape', []],
  ['Flatten', ['axis']],
  ['Slice', []],
  ['Pad', []],
])

/** Symmetric s8 codes of weights whose first axis is the output channel; one scale for all where `perChannel` is false. */
function quantiseWeights(values, outputs, perChannel) {
  const size = values.length / outputs
  const most = Array.from({ length: outputs }, (_, o) =>
    values.slice(o * size, (o + 1) * size).reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-12),
  )
  const common = Math.max(...most)
  const scales = Float32Array.from(perChannel ? most : [common], (largest) => largest / 127)
  const scaleOf = (index) => scales[perChannel ? Math.floor(index / size) : 0]
  const codes = Int8Array.from(values, (value, index) =>
    Math.max(-127, Math.min(127, Math.round(value / scaleOf(index)))),
  )
  return { codes, scales }
}

/** Collects nodes and initialisers; real values are known by the name of their dequantised form. */
class QdqWriter {
  nodes = []
  initializers = {}
  /** Value name → what stands for it in the file, and its scale. */
  values = new Map()

  /** Rounds `source` to `plan`; from here on `name` stands for the result. */
  quantise(name, source, { scale, zeroPoint }) {
    const constants = [`${name}:scale`, `${name}:zero`]
    this.initializers[constants[0]] = scalar(Float32Array.of(scale))
    this.initializers[constants[1]] = scalar(Uint8Array.of(zeroPoint))
    this.nodes.push(
      { op: 'QuantizeLinear', inputs: [source, ...constants], outputs: [`${name}:codes`] },
      { op: 'DequantizeLinear', inputs: [`${name}:codes`, ...constants], outputs: [`${name}:real`] },
    )
    this.values.set(name, { stands: `${name}:real`, plan: { scale, zeroPoint } })
  }

  /** A quantised constant; returns the name of its real form. */
  constant(name, codes, dims, scales) {
    const axis = scales.length > 1 ? { axis: 0 } : {}
    this.initializers[`${name}:codes`] = { data: codes, dims }
    this.initializers[`${name}:scale`] = scales.length > 1 ? { data: scales, dims: [scales.length] } : scalar(scales)
    const inputs = [`${name}:codes`, `${name}:scale`]
    this.nodes.push({ op: 'DequantizeLinear', inputs, outputs: [`${name}:real`], attributes: axis })
    return `${name}:real`
  }
}

/** Weights and bias of a layer; returns the names of all its inputs. */
function layerInputs(writer, graph, node, perChannel) {
  const [x, weightName, biasName] = node.inputs
  const { stands, plan } = writer.values.get(x)
  const weight = graph.constants.get(weightName)
  const { codes, scales } = quantiseWeights(readNumbers(weight), weight.shape[0], perChannel)
  const inputs = [stands, writer.constant(weightName, codes, [...weight.shape], scales)]
  if (!biasName) return inputs
  const bias = graph.constants.get(biasName)
  const biasScales = scales.map((scale) => scale * plan.scale)
  const biasCodes = Int32Array.from(readNumbers(bias), (value, o) => Math.round(value / biasScales[perChannel ? o : 0]))
  return [...inputs, writer.constant(biasName, biasCodes, [...bias.shape], biasScales)]
}

function writeNode(writer, graph, node, tensors) {
  const [name] = node.outputs
  const raw = `${name}:raw`
  const standing = (value) => writer.values.get(value)?.stands ?? value
  const pick = (keys) => Object.fromEntries(keys.map((key) => [key, node.attributes.get(key)]))
  let op = node.operator
  let inputs = node.inputs.map(standing)
  let attributes = {}
  let plan = tensors[name]
  if (op === 'dyadic.Conv') {
    op = 'Conv'
    inputs = layerInputs(writer, graph, node, true)
    attributes = pick(['kernel_shape', 'strides', 'dilations', 'pads', 'group'])
  } else if (op === 'dyadic.Dense') {
    op = 'Gemm'
    inputs = layerInputs(writer, graph, node, false)
    attributes = { transB: 1 }
  } else if (op === 'dyadic.Add') op = 'Add'
  else if (sameNumbers.has(op)) {
    attributes = pick(sameNumbers.get(op))
    plan = writer.values.get(node.inputs[0]).plan
  } else if (op !== 'GlobalAveragePool') throw new Error(`no QDQ form of operator ${op} (node ${node.name})`)
  for (const input of node.inputs.slice(1)) copyConstant(writer, graph, input, inputs)
  writer.nodes.push({ op, inputs, outputs: [raw], attributes })
  const clipped = node.attributes.get('low') === 0 && plan.zeroPoint !== 0
  if (node.attributes.has('high') || (node.attributes.get('low') ?? 0) !== 0)
    throw new Error(`no QDQ form of the bounds of node ${node.name}`)
  if (clipped) writer.nodes.push({ op: 'Relu', inputs: [raw], outputs: [`${raw}:relu`] })
  const result = clipped ? `${raw}:relu` : raw
  // A network output that our plan keeps wide stays real.
  if (plan.format !== undefined && plan.format !== 'u8') writer.values.set(name, { stands: result, plan })
  else writer.quantise(name, result, plan)
}

/** Constants that are used as they are: shapes, axes, fill values. */
function copyConstant(writer, graph, name, inputs) {
  const constant = graph.constants.get(name)
  if (constant === undefined || !inputs.includes(name)) return
  const numbers = Array.from(readNumbers(constant))
  const data = constant.type === 'int64' ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers)
  writer.initializers[name] = { data, dims: [...constant.shape] }
}

/**
 * @param {import('../../dist/index.js').Graph} parsed A float network, as `parseOnnx` gives it.
 * @param {import('../../dist/index.js').DataSet} samples Calibration samples of stored 8-bit integers.
 * @returns {Promise<Uint8Array>} The ONNX file.
 */
export async function qdqForm(parsed, samples) {
  const graph = fuse(simplify(parsed), { residual: false })
  const { tensors } = await calibrate(graph, samples)
  const [input] = graph.inputs
  const [output] = graph.outputs
  const writer = new QdqWriter()
  const ends = samples.offset.flatMap((offset, c) => {
    const scale = samples.scale[samples.scale.length > 1 ? c : 0]
    return [scale * (0 - offset), scale * (255 - offset)]
  })
  writer.quantise(input, input, activationPlan({ low: Math.min(...ends), high: Math.max(...ends) }, 'u8'))
  for (const node of graph.nodes) writeNode(writer, graph, node, tensors)
  writer.nodes.push({ op: 'Identity', inputs: [writer.values.get(output).stands], outputs: [output] })
  const port = (name) => ({ [name]: { type: Float32Array, dims: [...graph.values.get(name).shape] } })
  return writeOnnx({
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: port(input),
    outputs: port(output),
  })
}
