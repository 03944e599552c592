/**
 * ONNX models as bytes, opset 17: enough for the benches' own networks, whose weights are hundreds of megabytes and are copied
 * once. Nothing is checked; who loads the bytes judges them. Fields and numbers are those of onnx.proto.
 */

const ELEMENT_TYPES = new Map([
  [Float32Array, 1],
  [BigInt64Array, 7],
])
const OPSET = 17

/** A message under construction: parts in order and their bytes together. */
const join = (parts) => ({
  parts: parts.flatMap((part) => part.parts),
  bytes: parts.reduce((total, part) => total + part.bytes, 0),
})
const leaf = (bytes) => ({ parts: [bytes], bytes: bytes.length })

function varint(value) {
  const bytes = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return leaf(Uint8Array.from([...bytes, rest]))
}

const message = (field, content) => join([varint(field * 8 + 2), varint(content.bytes), content])
const text = (field, value) => message(field, leaf(new TextEncoder().encode(value)))
const number = (field, value) => join([varint(field * 8), varint(value)])

function attribute(name, value) {
  return Array.isArray(value)
    ? join([text(1, name), ...value.map((item) => number(8, item)), number(20, 7)])
    : join([text(1, name), number(3, value), number(20, 2)])
}

function node({ op, inputs, output, attributes = {} }) {
  return join([
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
  ])
}

function constant(name, { data, dims }) {
  return join([
    ...dims.map((size) => number(1, size)),
    number(2, ELEMENT_TYPES.get(data.constructor)),
    text(8, name),
    message(9, leaf(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))),
  ])
}

function port(name, dims) {
  const shape = join(dims.map((size) => message(1, number(1, size))))
  return join([text(1, name), message(2, message(1, join([number(1, 1), message(2, shape)])))])
}

/**
 * @param {{
 *   name: string,
 *   nodes: { op: string, inputs: string[], output: string, attributes?: Record<string, number | number[]> }[],
 *   constants: Map<string, { data: Float32Array | BigInt64Array, dims: number[] }>,
 *   inputs: Record<string, number[]>, outputs: Record<string, number[]>,
 * }} model Ports are float32 of these shapes; integers are not negative.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeModel({ name, nodes, constants, inputs, outputs }) {
  const graph = join([
    ...nodes.map((one) => message(1, node(one))),
    text(2, name),
    ...[...constants].map(([key, value]) => message(5, constant(key, value))),
    ...Object.entries(inputs).map(([key, dims]) => message(11, port(key, dims))),
    ...Object.entries(outputs).map(([key, dims]) => message(12, port(key, dims))),
  ])
  const model = join([number(1, 8), message(7, graph), message(8, join([text(1, ''), number(2, OPSET)]))])
  const all = new Uint8Array(model.bytes)
  let at = 0
  for (const part of model.parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
