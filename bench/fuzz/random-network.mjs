/**
 * Random networks of a few nodes: fast-check draws a recipe of numbers, and this makes a model of it, step by step. What a
 * step's node gives is asked of the reader, so that the next one finds values with types and shapes; a node that is refused
 * is left out. Fewer and smaller numbers make smaller networks, so that recipes shrink to what matters.
 */
import fc from 'fast-check'
import { DyadicError } from '../../dist/error.js'
import { parseOnnx } from '../../dist/index.js'
import { encodeModel } from '../../dist/onnx/write-wire.js'
import { operatorCases } from './operator-cases.mjs'
import { attribute, value } from './seeds.mjs'
import { bitsOf } from './value-kinds.mjs'

const MOST_ELEMENTS = 2000
const MOST_STEPS = 8
const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 }
const SHAPES = [[1, 4, 4, 4], [2, 3], [1, 3, 5, 4], [4], [2, 1, 3], [1, 8, 2, 2], [], [3, 5]]
const TYPES = ['float32', 'float32', 'float32', 'uint8', 'int8', 'int32', 'int64']

/** What fast-check draws: numbers that the steps below take their choices from. */
export const recipes = fc.record({
  inputs: fc.array(fc.tuple(fc.nat(TYPES.length - 1), fc.nat(SHAPES.length - 1)), { minLength: 1, maxLength: 2 }),
  steps: fc.array(
    fc.record({
      operator: fc.constantFrom(...Object.keys(operatorCases)),
      choices: fc.array(fc.nat(2 ** 20), { minLength: 16, maxLength: 16 }),
    }),
    { minLength: 1, maxLength: MOST_STEPS },
  ),
  numbers: fc.nat(2 ** 31 - 1),
  allOutputs: fc.boolean(),
})

/** A linear congruential generator: fills of tensors are no choices that would be worth shrinking. */
function filler(seed) {
  let state = (seed * 2 + 1) >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

const count = (shape) => shape.reduce((a, b) => a * b, 1)

/** Numbers of a type as inputs and constants are drawn: few bits, so that sums of their products are exact. */
function fill(type, shape, next, positive = false) {
  const draw = { length: count(shape) }
  switch (type) {
    case 'float32':
      return Float32Array.from(draw, () => (positive ? 1 + (next() % 12) : (next() % 33) - 16) / 4)
    case 'uint8':
      return Uint8Array.from(draw, () => (positive ? 1 : 0) + (next() % 250))
    case 'int8':
      return Int8Array.from(draw, () => (positive ? 1 + (next() % 100) : (next() % 256) - 128))
    case 'bool':
      return Uint8Array.from(draw, () => next() % 2)
    case 'int32':
      return Int32Array.from(draw, () => (positive ? 1 + (next() % 9) : (next() % 41) - 20))
    default:
      return BigInt64Array.from(draw, () => BigInt(positive ? 1 + (next() % 9) : (next() % 41) - 20))
  }
}

/** The choices of one step, and what it may add to the model. */
class Draw {
  constructor(choices, values, initializers, next) {
    Object.assign(this, { choices, values, initializers, next, at: 0 })
  }

  below(limit) {
    return this.choices[this.at++ % this.choices.length] % Math.max(1, limit)
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** A value that a filter lets through, the last ones more often. */
  value(filter) {
    const fitting = this.values.filter(filter)
    return fitting.length === 0
      ? undefined
      : fitting[fitting.length - 1 - Math.min(this.below(fitting.length), this.below(fitting.length))]
  }

  some(list) {
    const from = this.below(list.length + 1)
    return list.slice(from, from + 1 + this.below(list.length))
  }

  shuffled(length) {
    const rest = Array.from({ length }, (_, i) => i)
    return Array.from({ length }, () => rest.splice(this.below(rest.length), 1)[0])
  }

  tensor(given) {
    const name = `k${this.initializers.length}`
    this.initializers.push({ name, ...given })
    return name
  }

  constant(type, shape, positive = false, number) {
    const data = fill(type, shape, this.next, positive)
    if (number !== undefined) data.fill(number)
    const name = this.tensor({
      dataType: DATA_TYPES[type],
      dims: shape.map(BigInt),
      rawData: new Uint8Array(data.buffer),
    })
    return { name, type, shape, bits: bitsOf(type) }
  }

  integers(list) {
    return { name: this.tensor({ dataType: 7, dims: [BigInt(list.length)], int64Data: list.map(BigInt) }) }
  }

  /** A scale that is a power of two, so that quantised arithmetic is exact before it is rounded. */
  scale() {
    return this.constant('float32', [], true, 2 ** (this.below(5) - 3))
  }

  zero(type) {
    return this.constant(type, [], false, type === 'uint8' ? this.below(256) : this.below(256) - 128)
  }
}

/** The model of a recipe, its inputs, and which values are exact. Deterministic. */
export function buildNetwork({ inputs, steps, numbers, allOutputs }) {
  const next = filler(numbers)
  const values = inputs.map(([type, shape], i) => ({
    name: `x${i}`,
    type: TYPES[type],
    shape: SHAPES[shape],
    bits: bitsOf(TYPES[type]),
    small: true,
  }))
  const given = new Map(
    values.map(({ name, type, shape }) => [name, { type, dims: shape, data: fill(type, shape, next) }]),
  )
  const graphInputs = values.map(({ name, type, shape }) => value(name, shape, DATA_TYPES[type]))
  const initializer = []
  const nodes = []
  const modelOf = (own, output) =>
    encodeModel({
      irVersion: 10n,
      opsetImport: [{ domain: '', version: 21n }],
      graph: { name: 'random', node: own, initializer, input: graphInputs, output },
    })
  for (const [step, { operator, choices }] of steps.entries()) {
    const kept = initializer.length
    const made = operatorCases[operator](new Draw(choices, values, initializer, next))
    if (made === undefined) continue
    const outputs = Array.from({ length: made.outputs ?? 1 }, (_, i) => `v${step}_${i}`)
    const node = {
      opType: operator,
      input: made.inputs,
      output: outputs,
      name: `n${step}`,
      attribute: Object.entries(made.attributes ?? {}).map(([name, content]) => attribute(name, content)),
    }
    try {
      const graph = parseOnnx(
        modelOf(
          [...nodes, node],
          outputs.map((name) => ({ name })),
        ),
        { quantised: 'keep' },
      )
      const found = outputs.map((name) => graph.values.get(name))
      // What it drew as constants stays behind unread, which is legal.
      if (found.some(({ type, shape }) => count(shape) > MOST_ELEMENTS || !(type in DATA_TYPES))) continue
      for (const { name, type, shape } of found)
        values.push({ name, type, shape, bits: type === 'float32' ? made.bits : 8 })
      nodes.push(node)
    } catch (error) {
      if (!(error instanceof DyadicError)) throw error
      initializer.length = kept
    }
  }
  const computed = values.slice(inputs.length)
  const read = new Set(nodes.flatMap(({ input }) => input))
  const outputs = allOutputs ? computed : computed.filter(({ name }) => !read.has(name))
  const declared = outputs.map(({ name, type, shape }) => value(name, shape, DATA_TYPES[type]))
  const bytes = computed.length === 0 ? undefined : modelOf(nodes, declared)
  return { bytes, inputs: given, outputs, operators: nodes.map(({ opType }) => opType) }
}
