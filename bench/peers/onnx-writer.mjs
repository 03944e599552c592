/**
 * Writes small ONNX models as bytes, enough for kernel cases: one graph with nodes, initialisers, inputs and outputs.
 *
 * The wire format is protobuf (fields and numbers of onnx.proto, IR version 8). Nothing is checked: the callers are the
 * benches, and the peer that loads the bytes is the judge.
 */

/** ONNX element types by typed array. */
const elementTypes = new Map([
  [Float32Array, 1],
  [Uint8Array, 2],
  [Int8Array, 3],
  [Int32Array, 6],
  [BigInt64Array, 7],
])

/** @param {number} value @returns {Buffer} */
function variableLength(value) {
  const bytes = []
  let rest = BigInt(value)
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** A field of wire type 2: bytes, text or a message that is already encoded. */
function lengthDelimited(field, content) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([variableLength(field * 8 + 2), variableLength(bytes.length), bytes])
}

/** A field of wire type 0. */
function integerField(field, value) {
  return Buffer.concat([variableLength(field * 8), variableLength(value)])
}

/** AttributeProto: an integer (type 2) or a list of integers (type 7). */
function attribute(name, value) {
  return Array.isArray(value)
    ? Buffer.concat([lengthDelimited(1, name), ...value.map((item) => integerField(8, item)), integerField(20, 7)])
    : Buffer.concat([lengthDelimited(1, name), integerField(3, value), integerField(20, 2)])
}

/** TensorProto with raw little-endian data. */
function tensor(name, { data, dims }) {
  return Buffer.concat([
    ...dims.map((size) => integerField(1, size)),
    integerField(2, elementTypes.get(data.constructor)),
    lengthDelimited(8, name),
    lengthDelimited(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ])
}

/** ValueInfoProto of a tensor with fixed shape. */
function valueInfo(name, { type, dims }) {
  const shape = Buffer.concat(dims.map((size) => lengthDelimited(1, integerField(1, size))))
  const tensorType = Buffer.concat([integerField(1, elementTypes.get(type)), lengthDelimited(2, shape)])
  return Buffer.concat([lengthDelimited(1, name), lengthDelimited(2, lengthDelimited(1, tensorType))])
}

/**
 * Encodes one model, opset 13.
 * @param {{
 *   nodes: { op: string, inputs: string[], outputs: string[], attributes?: Record<string, number | number[]> }[],
 *   initializers: Record<string, { data: ArrayBufferView, dims: number[] }>,
 *   inputs: Record<string, { type: Function, dims: number[] }>,
 *   outputs: Record<string, { type: Function, dims: number[] }>,
 * }} graph `type` is the typed-array constructor that holds the tensor's elements.
 * @returns {Uint8Array}
 */
export function writeOnnx({ nodes, initializers, inputs, outputs }) {
  const encodedNodes = nodes.map(({ op, inputs: from, outputs: to, attributes = {} }, index) =>
    Buffer.concat([
      ...from.map((name) => lengthDelimited(1, name)),
      ...to.map((name) => lengthDelimited(2, name)),
      lengthDelimited(3, `${op}_${index}`),
      lengthDelimited(4, op),
      ...Object.entries(attributes).map(([name, value]) => lengthDelimited(5, attribute(name, value))),
    ]),
  )
  const graph = Buffer.concat([
    ...encodedNodes.map((node) => lengthDelimited(1, node)),
    lengthDelimited(2, 'kernel'),
    ...Object.entries(initializers).map(([name, value]) => lengthDelimited(5, tensor(name, value))),
    ...Object.entries(inputs).map(([name, value]) => lengthDelimited(11, valueInfo(name, value))),
    ...Object.entries(outputs).map(([name, value]) => lengthDelimited(12, valueInfo(name, value))),
  ])
  const operatorSet = Buffer.concat([lengthDelimited(1, ''), integerField(2, 13)])
  return new Uint8Array(Buffer.concat([integerField(1, 8), lengthDelimited(7, graph), lengthDelimited(8, operatorSet)]))
}
