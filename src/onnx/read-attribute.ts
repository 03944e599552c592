/**
 * An AttributeProto to an attribute value of the graph. The declared type decides which field counts, absent scalars
 * are protobuf's zero, and a file that fills the field of another type is refused. Whether the operator wants that kind
 * is the schema's question, in the graph.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue } from '../graph/graph.ts'
import type { ExternalReader } from './external-data.ts'
import type { Limits } from './limits.ts'
import { readTensor, readText } from './read-tensor.ts'
import type { Message } from './schema.ts'

type Attribute = Message<'AttributeProto'>
type ValueField = Exclude<keyof Attribute, 'name' | 'type' | 'refAttrName'>

/** `AttributeProto.AttributeType` to the field that holds the value. */
const FIELDS = new Map<number, ValueField>([
  [1, 'f'],
  [2, 'i'],
  [3, 's'],
  [4, 't'],
  [5, 'g'],
  [6, 'floats'],
  [7, 'ints'],
  [8, 'strings'],
  [9, 'tensors'],
  [10, 'graphs'],
  [11, 'sparseTensor'],
  [12, 'sparseTensors'],
  [13, 'tp'],
  [14, 'typeProtos'],
])

/**
 * The value of an attribute. `node` names the node, for messages. `clampIntegers` brings 64-bit integers to ±(2^53 − 1)
 * where only "beyond the end" is meant; elsewhere such an integer is refused. `infinite` lets infinities pass; `read` gives the bytes of external tensors.
 * Throws `refused` on contradictions and NaN, `unsupported` on subgraphs, sparse tensors and types.
 */
export function readAttribute(
  attribute: Attribute,
  node: string,
  limits: Limits,
  {
    clampIntegers = false,
    infinite = false,
    read,
  }: { clampIntegers?: boolean; infinite?: boolean; read?: ExternalReader | undefined } = {},
): AttributeValue {
  const what = `attribute ${quoted(attribute.name ?? '')} of node ${quoted(node)}`
  if (attribute.refAttrName)
    throw new DyadicError('refused', `${what} refers to ${quoted(attribute.refAttrName)} outside of a function`)
  const field = valueField(attribute, what)
  const number = (value: number): number => {
    if (Number.isNaN(value) || (!infinite && !Number.isFinite(value)))
      throw new DyadicError('refused', `${what} is ${value}; a finite number is needed`)
    return value
  }
  const integer = (value: bigint): number => {
    if (value >= -SAFE && value <= SAFE) return Number(value)
    if (!clampIntegers) throw new DyadicError('refused', `${what} is ${value}, which does not fit 53 bits`)
    return value < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER
  }
  const limitedList = (length: number): void => {
    if (length > limits.attributeValues)
      throw new DyadicError(
        'limit',
        `${what} has ${length} values; at most ${limits.attributeValues} are read (limit "attributeValues")`,
      )
  }
  switch (field) {
    case 'f':
      return number(attribute.f ?? 0)
    case 'i':
      return integer(attribute.i ?? 0n)
    case 's':
      return readText(attribute.s ?? new Uint8Array(0), what)
    case 't':
      if (attribute.t === undefined) throw new DyadicError('refused', `${what} is a tensor without a value`)
      return readTensor(attribute.t, `the tensor in ${what}`, limits, read)
    case 'floats':
      limitedList(attribute.floats.length)
      return Array.from(attribute.floats, number)
    case 'ints':
      limitedList(attribute.ints.length)
      return Array.from(attribute.ints, integer)
    case 'strings':
      limitedList(attribute.strings.length)
      return attribute.strings.map((bytes) => readText(bytes, what))
    case 'g':
    case 'graphs':
      throw new DyadicError('unsupported', `${what} is a subgraph; dyadic compiles straight-line networks only`)
    default:
      throw new DyadicError('unsupported', `${what} is of a kind that dyadic does not read (${field})`)
  }
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

function valueField(attribute: Attribute, what: string): ValueField {
  const filled = [...FIELDS.values()].filter((field) => {
    const value = attribute[field]
    return (
      value !== undefined && !(typeof value === 'object' && 'length' in value && value.length === 0 && field !== 's')
    )
  })
  // Files from before IR version 2 give no type: the filled field speaks for itself.
  const field = attribute.type ? FIELDS.get(attribute.type) : filled.length === 1 ? filled[0] : undefined
  if (field === undefined)
    throw new DyadicError('refused', `${what} has type ${attribute.type ?? 'none'}, which says nothing about its value`)
  const foreign = filled.find((other) => other !== field)
  if (foreign !== undefined)
    throw new DyadicError('refused', `${what} is declared as ${field} but also holds a value in ${foreign}`)
  return field
}
