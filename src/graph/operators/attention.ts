/**
 * ONNX Attention: softmax(scale · q · kᵀ, capped, + bias) · v per head. Shapes: q (B, H, S, D), k (B, G, T, D), v (B, G, T, E),
 * or all three (B, length, heads · size) with the numbers of heads as attributes; each of the G heads of k and v serves H / G
 * heads of q. The past, P positions, comes before k and v. The bias is −∞ where a mask, causality, the windows or the number of
 * valid keys forbid a key, else 0 or the mask's own number; a query that may see no key gives zeros. In double, rounded once.
 * Source: onnx/docs/Operators.md, Attention.
 */
import { exponential, hyperbolicTangent } from '../../num/elementary.ts'
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, optionalNumber, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides } from './layout.ts'

/** Sizes of one side, and the steps between its heads and positions. */
interface Heads {
  readonly heads: number
  readonly length: number
  readonly size: number
  readonly headStep: number
  readonly positionStep: number
}

function headsOf(node: string, shape: readonly number[], heads: number | undefined): Heads {
  if (shape.length === 4) {
    const [, count, length, size] = shape
    return { heads: count, length, size, headStep: length * size, positionStep: size }
  }
  if (shape.length !== 3 || heads === undefined || heads < 1 || shape[2] % heads !== 0)
    refuse(node, `Attention of an operand of shape [${shape}] in ${heads ?? 'an unknown number of'} heads`)
  const size = shape[2] / heads
  return { heads, length: shape[1], size, headStep: size, positionStep: shape[2] }
}

interface Geometry {
  readonly batch: number
  readonly q: Heads
  readonly k: Heads
  readonly v: Heads
  /** Positions of the past, and of past and present. */
  readonly past: number
  readonly total: number
}

function geometry({ node, inputs, attributes }: InferContext | EvaluateContext): Geometry {
  const shapeAt = (index: number) => inputs[index]?.shape ?? refuse(node, `input ${index} of Attention is omitted`)
  const own = optionalNumber(attributes, 'kv_num_heads')
  const q = headsOf(node, shapeAt(0), optionalNumber(attributes, 'q_num_heads'))
  const [k, v] = [headsOf(node, shapeAt(1), own), headsOf(node, shapeAt(2), own)]
  const [batch] = shapeAt(0)
  const same = shapeAt(1)[0] === batch && shapeAt(2)[0] === batch && k.heads === v.heads && k.length === v.length
  if (!same || q.size !== k.size || k.heads < 1 || q.heads % k.heads !== 0)
    refuse(node, `Attention of shapes [${shapeAt(0)}], [${shapeAt(1)}] and [${shapeAt(2)}]`)
  const past = inputs[4]?.shape[2] ?? 0
  if ((inputs[4] === undefined) !== (inputs[5] === undefined)) refuse(node, 'a past needs keys and values')
  if (inputs[4] !== undefined) {
    const wanted = [
      [batch, k.heads, past, k.size],
      [batch, k.heads, past, v.size],
    ]
    wanted.forEach((shape, i) => {
      if (String(shape) !== String(shapeAt(4 + i))) refuse(node, `a past of shape [${shapeAt(4 + i)}]; [${shape}] fits`)
    })
  }
  return { batch, q, k, v, past, total: past + k.length }
}

/** Past and present, as (B, G, P + T, size). */
function joined(node: string, batch: number, present: Tensor, own: Heads, past: Tensor | undefined): Float64Array {
  const [now, before] = [numbersOf(present, node), past && numbersOf(past, node)]
  const { heads, length, size, headStep, positionStep } = own
  const pastLength = past?.shape[2] ?? 0
  const total = pastLength + length
  const result = new Float64Array(batch * heads * total * size)
  for (let row = 0; row < batch * heads * total; row++) {
    const [position, group] = [row % total, Math.floor(row / total)]
    const [b, h] = [Math.floor(group / heads), group % heads]
    const from = b * heads * length * size + h * headStep + (position - pastLength) * positionStep
    for (let i = 0; i < size; i++)
      result[row * size + i] =
        position < pastLength && before ? before[(group * pastLength + position) * size + i] : now[from + i]
  }
  return result
}

/** The bias of a query and a key. */
function biasOf(context: EvaluateContext, { batch, q, past, total }: Geometry) {
  const { node, inputs, attributes } = context
  const [mask, valid] = [inputs[3], inputs[6]]
  const causal = numberAttribute(attributes, 'is_causal') !== 0
  const [left, right] = [
    numberAttribute(attributes, 'left_window_size'),
    numberAttribute(attributes, 'right_window_size'),
  ]
  // A mask may name fewer keys than there are; the others are forbidden.
  const named = mask?.shape.at(-1) ?? total
  const steps = mask && broadcastStrides(mask.shape, [batch, q.heads, q.length, named])
  const masked = mask && (mask.type === 'bool' ? (mask.data as Uint8Array) : numbersOf(mask, node))
  return (b: number, h: number, i: number, j: number): number => {
    const offset = valid === undefined ? past : Number(valid.data[b]) - q.length
    const distance = i + offset - j
    const forbidden =
      (causal && distance < 0) ||
      (left >= 0 && distance > left) ||
      (right >= 0 && -distance > right) ||
      (valid !== undefined && j >= Number(valid.data[b])) ||
      j >= named
    if (forbidden) return -Infinity
    if (!masked || !steps) return 0
    const value = masked[b * steps[0] + h * steps[1] + i * steps[2] + j * steps[3]]
    return mask?.type !== 'bool' ? value : value ? 0 : -Infinity
  }
}

/** ONNX Attention; the number of valid keys may be computed at run time. */
export const attention: Operator = {
  name: 'Attention',
  since: [23, 24, 25],
  inputs: [3, 7],
  outputs: [1, 4],
  attributes: {
    is_causal: { kind: 'int', flag: true, default: 0 },
    kv_num_heads: { kind: 'int' },
    left_window_size: { kind: 'int', default: -1 },
    q_num_heads: { kind: 'int' },
    qk_matmul_output_mode: { kind: 'int', default: 0 },
    right_window_size: { kind: 'int', default: -1 },
    scale: { kind: 'float' },
    softcap: { kind: 'float', default: 0 },
    softmax_precision: { kind: 'int' },
  },
  integer: 'none',
  infer: (context) => {
    const { node, attributes } = context
    const shape = operand(context, 0).shape
    const sizes = geometry(context)
    const { batch, q, k, v, total } = sizes
    const [mask, valid] = [context.inputs[3], context.inputs[6]]
    const full = [batch, q.heads, q.length, mask?.shape.at(-1) ?? total]
    if (mask && (full[3] > total || String(broadcastShapes(mask.shape, full)) !== String(full)))
      refuse(node, `a mask of shape [${mask.shape}] for [${batch},${q.heads},${q.length},${total}]`)
    if (valid && (valid.type !== 'int64' || String(valid.shape) !== String([batch]) || context.inputs[4]))
      refuse(
        node,
        `the number of valid keys is ${valid.type}[${valid.shape}]; int64[${batch}] without a past is needed`,
      )
    const mode = numberAttribute(attributes, 'qk_matmul_output_mode')
    if (mode < 0 || mode > 3) refuse(node, `qk_matmul_output_mode is ${mode}`)
    const type = floatResult({ ...context, inputs: context.inputs.slice(0, 3) })
    const result = shape.length === 4 ? [batch, q.heads, q.length, v.size] : [batch, q.length, q.heads * v.size]
    return [
      { type, shape: result },
      { type, shape: [batch, k.heads, total, k.size] },
      { type, shape: [batch, k.heads, total, v.size] },
      { type, shape: [batch, q.heads, q.length, total] },
    ]
  },
  evaluate: (context) => {
    const { node, inputs, attributes } = context
    const { batch, q, k, v, total } = geometry(context)
    const [{ type, shape }] = context.outputs
    const queries = numbersOf(inputs[0], node)
    const keys = joined(node, batch, inputs[1]!, k, inputs[4])
    const values = joined(node, batch, inputs[2]!, v, inputs[5])
    const bias = biasOf(context, geometry(context))
    const scale = optionalNumber(attributes, 'scale') ?? 1 / Math.sqrt(q.size)
    const cap = numberAttribute(attributes, 'softcap')
    const mode = numberAttribute(attributes, 'qk_matmul_output_mode')
    const result = allocate(type, elementCount(shape))
    const products = new Float64Array(batch * q.heads * q.length * total)
    for (let row = 0; row < batch * q.heads * q.length; row++) {
      const i = row % q.length
      const h = Math.floor(row / q.length) % q.heads
      const b = Math.floor(row / (q.length * q.heads))
      const group = b * k.heads + Math.floor(h / (q.heads / k.heads))
      const query = b * q.heads * q.length * q.size + h * q.headStep + i * q.positionStep
      const raw = Float64Array.from({ length: total }, (_, j) => {
        let sum = 0
        for (let d = 0; d < q.size; d++) sum += queries[query + d] * keys[(group * total + j) * k.size + d]
        return sum * scale
      })
      const capped = cap > 0 ? raw.map((score) => cap * hyperbolicTangent(score / cap)) : raw
      const biases = raw.map((_, j) => bias(b, h, i, j))
      const scores = capped.map((score, j) => (biases[j] === -Infinity ? -Infinity : score + biases[j]))
      const probabilities = softmaxOf(scores)
      products.set([raw, capped, scores, probabilities][mode], row * total)
      const target = shape.length === 4 ? row * v.size : (b * q.length + i) * q.heads * v.size + h * v.size
      for (let e = 0; e < v.size; e++) {
        let sum = 0
        for (let j = 0; j < total; j++)
          if (probabilities[j] !== 0) sum += probabilities[j] * values[(group * total + j) * v.size + e]
        result[target + e] = sum
      }
    }
    const stored = (numbers: Float64Array) => {
      const data = allocate(type, numbers.length)
      ;(data as Float32Array).set(numbers)
      return data
    }
    return [
      { type, shape, data: result },
      { type, shape: [batch, k.heads, total, k.size], data: stored(keys) },
      { type, shape: [batch, k.heads, total, v.size], data: stored(values) },
      { type, shape: [batch, q.heads, q.length, total], data: stored(products) },
    ]
  },
  macs: (context) => {
    const { batch, q, v, total } = geometry(context)
    return batch * q.heads * q.length * total * (q.size + v.size)
  },
}

/** Softmax of one row; zeros where nothing is allowed. */
function softmaxOf(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  if (largest === -Infinity) return new Float64Array(scores.length)
  const powers = scores.map((score) => exponential(score - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}
