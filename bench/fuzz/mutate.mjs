/**
 * Changes that keep most of a model's structure: of its messages (names, edges, attributes, shapes, tensors, functions), or of its
 * wire form (fields dropped, repeated, cut, numbers at their edges, bytes). Every choice comes from `draw`, so one seed and
 * one index give one file.
 */
import { encodeModel } from '../../dist/onnx/write-wire.js'
import { changeFunctions } from './change-functions.mjs'

const EDGES = [0n, 1n, -1n, 2n, 3n, 4n, 7n, 16n, 64n, 255n, 256n, 65_536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n]
const FAR = [2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 31n), -(2n ** 63n), -2n]
const REALS = [0, -0, 1, -1, 1e-45, 1e-38, 3.4e38, 1e30, -1e30, Number.NaN, Infinity, -Infinity, 0.5, 1e-7]
const NAMES = [
  '',
  'x',
  'y',
  'w',
  '__proto__',
  'constructor',
  'toString',
  '../a',
  '\u001b[2J',
  '\u202e',
  'a'.repeat(5000),
]

/** A source of choices: `draw(n)` is an integer below n. */
export function drawFrom(randomUint32, seed, index) {
  let counter = 0
  return (below) => randomUint32(seed, index, counter++) % below
}

const pick = (draw, list) => list[draw(list.length)]
const integer = (draw) => pick(draw, draw(4) === 0 ? FAR : EDGES)

/** Messages of a model as plain lists and objects that may be changed. */
function open(message) {
  if (message instanceof Uint8Array) return message.slice()
  if (ArrayBuffer.isView(message)) return Array.from(message)
  if (Array.isArray(message)) return message.map(open)
  if (message === null || typeof message !== 'object') return message
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, open(value)]))
}

const changeAttribute = (draw, attribute) => {
  if (attribute.ints?.length > 0) {
    const at = draw(attribute.ints.length)
    if (draw(3) === 0) attribute.ints.splice(at, draw(2), ...Array.from({ length: draw(3) }, () => integer(draw)))
    else attribute.ints[at] = integer(draw)
  } else if (attribute.i !== undefined) attribute.i = integer(draw)
  else if (attribute.f !== undefined) attribute.f = pick(draw, REALS)
  else if (attribute.t !== undefined) changeTensor(draw, attribute.t)
  else if (attribute.s !== undefined)
    attribute.s = new TextEncoder().encode(pick(draw, [...NAMES, 'linear', 'SAME_LOWER']))
  if (draw(8) === 0) attribute.type = draw(16)
  if (draw(8) === 0) attribute.name = pick(draw, NAMES)
}

const changeTensor = (draw, tensor) => {
  const dims = tensor.dims ?? []
  switch (draw(7)) {
    case 0:
      if (dims.length > 0) dims[draw(dims.length)] = integer(draw)
      break
    case 1:
      dims.splice(draw(dims.length + 1), draw(2), integer(draw))
      break
    case 2:
      tensor.dataType = draw(30)
      break
    case 3:
      if (tensor.rawData?.length > 0) tensor.rawData = tensor.rawData.slice(0, draw(tensor.rawData.length))
      break
    case 4:
      if (tensor.rawData?.length >= 4) {
        const view = new DataView(tensor.rawData.buffer, tensor.rawData.byteOffset, tensor.rawData.byteLength)
        view.setFloat32(4 * draw(tensor.rawData.length >> 2), pick(draw, REALS), true)
      }
      break
    case 5:
      if (tensor.int64Data?.length > 0) tensor.int64Data[draw(tensor.int64Data.length)] = integer(draw)
      break
    default:
      tensor.floatData = [pick(draw, REALS)]
  }
  tensor.dims = dims
}

const changeShape = (draw, info) => {
  const dim = info.type?.tensorType?.shape?.dim
  if (dim === undefined) return
  if (dim.length > 0 && draw(3) > 0)
    dim[draw(dim.length)] = pick(draw, [{ dimValue: integer(draw) }, { dimParam: 'M' }, {}])
  else if (draw(2) === 0) dim.push({ dimValue: integer(draw) })
  else info.type.tensorType.elemType = draw(30)
}

/** One change of the graph. `donor` is another model, whose nodes may be taken. */
function changeGraph(draw, graph, donor) {
  const { node: nodes, initializer: tensors = [] } = graph
  const values = [...nodes.flatMap(({ output }) => output), ...tensors.map(({ name }) => name), 'x', '']
  const some = nodes.length > 0 ? pick(draw, nodes) : undefined
  // A change before this one may have left no node at all.
  const given = [...donor.node, ...nodes]
  if (given.length === 0) return
  switch (draw(15)) {
    case 0:
      if (some?.input.length > 0) some.input[draw(some.input.length)] = pick(draw, values)
      break
    case 1:
      if (some) some.input.push(pick(draw, values))
      break
    case 2:
      some?.input.pop()
      break
    case 3:
      if (some) some.opType = pick(draw, given).opType
      break
    case 4:
      if (some?.attribute.length > 0) changeAttribute(draw, pick(draw, some.attribute))
      break
    case 5:
      if (some?.attribute.length > 0) some.attribute.splice(draw(some.attribute.length), 1)
      break
    case 6: {
      const other = pick(draw, donor.node.length > 0 ? donor.node : given)
      if (some && other.attribute.length > 0) some.attribute.push(open(pick(draw, other.attribute)))
      break
    }
    case 7:
      if (tensors.length > 0) changeTensor(draw, pick(draw, tensors))
      break
    case 8:
      changeShape(draw, pick(draw, [...graph.input, ...graph.output]))
      break
    case 9: {
      const made = open(pick(draw, donor.node.length > 0 ? donor.node : given))
      nodes.splice(draw(nodes.length + 1), 0, { ...made, input: made.input.map(() => pick(draw, values)) })
      break
    }
    case 10: {
      // A node of the donor between a value and its readers.
      const made = open(pick(draw, donor.node.length > 0 ? donor.node : given))
      const after = draw(nodes.length + 1)
      const read = pick(draw, values)
      const name = `new${draw(1000)}`
      nodes.slice(after).forEach((later) => {
        later.input = later.input.map((input) => (input === read ? name : input))
      })
      nodes.splice(after, 0, { ...made, name, input: [read, ...made.input.slice(1)], output: [name] })
      for (const tensor of donor.initializer ?? [])
        if (made.input.includes(tensor.name) && !tensors.some((own) => own.name === tensor.name))
          tensors.push(open(tensor))
      graph.initializer = tensors
      break
    }
    case 11:
      nodes.splice(draw(nodes.length + 1), 1)
      break
    case 12:
      if (some?.output.length > 0) some.output[draw(some.output.length)] = pick(draw, [...values, ...NAMES])
      break
    case 13:
      if (graph.output.length > 0) pick(draw, graph.output).name = pick(draw, values)
      else graph.output.push({ name: pick(draw, values) })
      break
    default:
      if (tensors.length > 0) pick(draw, tensors).name = pick(draw, [...values, ...NAMES])
  }
}

/** Tag, start and end of every field of a message, as far as it can be read. */
function fieldsOf(bytes, start, end) {
  const fields = []
  for (let at = start; at < end; ) {
    const from = at
    const varint = () => {
      let value = 0
      for (let shift = 0; at < end; shift += 7) {
        const byte = bytes[at++]
        value += (byte & 127) * 2 ** shift
        if (byte < 128) return value
      }
      return value
    }
    const type = varint() & 7
    let inner = at
    if (type === 0) varint()
    else if (type === 1) at += 8
    else if (type === 5) at += 4
    else if (type === 2) {
      const length = varint()
      inner = at
      at += length
    } else return fields
    if (at > end) return fields
    fields.push({ from, inner, to: at, nested: type === 2 })
  }
  return fields
}

const VARINTS = [
  [0],
  [0x7f],
  [0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  Array(9).fill(0xff).concat(1),
  Array(11).fill(0x80),
]

/** One change of the wire form, at a field that a walk from the outermost message comes to. */
function changeWire(draw, bytes, donor) {
  let [start, end] = [0, bytes.length]
  for (;;) {
    const fields = fieldsOf(bytes, start, end)
    if (fields.length === 0) break
    const field = pick(draw, fields)
    if (field.nested && draw(4) > 0 && field.to - field.inner > 2) {
      ;[start, end] = [field.inner, field.to]
      continue
    }
    const around = (middle) => Buffer.concat([bytes.subarray(0, field.from), middle, bytes.subarray(field.to)])
    const own = bytes.subarray(field.from, field.to)
    switch (draw(7)) {
      case 0:
        return around(Buffer.alloc(0))
      case 1:
        return around(Buffer.concat([own, own]))
      case 2:
        return around(Buffer.concat([own.subarray(0, 1), Buffer.from(pick(draw, VARINTS))]))
      case 3: {
        const from = draw(donor.length)
        return around(donor.subarray(from, from + draw(64)))
      }
      case 4:
        return bytes.subarray(0, field.from + draw(own.length + 1))
      case 5: {
        const changed = Buffer.from(bytes)
        changed[field.from] = draw(256)
        return changed
      }
      default: {
        const changed = Buffer.from(bytes)
        changed[field.inner + draw(Math.max(1, field.to - field.inner))] = draw(256)
        return changed
      }
    }
  }
  const changed = Buffer.from(bytes)
  if (changed.length > 0) changed[draw(changed.length)] = draw(256)
  return changed
}

/** The file of one draw: its seed's name and its bytes. */
export function mutate(draw, seeds) {
  const [name, message] = pick(draw, seeds)
  const [, donor] = pick(draw, seeds)
  const changed = open(message)
  for (let left = draw(4); left > 0; left--) changeGraph(draw, changed.graph, donor.graph)
  if (changed.functions?.length > 0 || draw(8) === 0)
    for (let left = 1 + draw(4); left > 0; left--) changeFunctions(draw, changed, changeGraph)
  if (draw(24) === 0) changed.opsetImport[0].version = integer(draw)
  let bytes
  try {
    bytes = encodeModel(changed)
  } catch {
    // A donated attribute list that the encoder cannot write says nothing about the reader.
    bytes = encodeModel(message)
  }
  bytes = Buffer.from(bytes)
  if (draw(3) === 0) {
    const given = Buffer.from(encodeModel(donor))
    for (let left = 1 + draw(3); left > 0; left--) bytes = changeWire(draw, bytes, given)
  }
  return { name, bytes: new Uint8Array(bytes) }
}
