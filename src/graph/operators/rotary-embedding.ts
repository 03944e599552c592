/**
 * ONNX RotaryEmbedding: pairs of features rotated by angles of their position. x is (B, H, S, D), or (B, S, H·D) with
 * `num_heads`; the caches hold cosines and sines, (positions, R/2) with position ids (B, S), else (B, S, R/2). The first R of
 * the D features take part. In double, rounded once.
 */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, type Tensor } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse } from './context.ts'

interface Geometry {
  readonly batch: number
  readonly heads: number
  readonly length: number
  readonly features: number
  /** Elements between neighbours along heads and positions. */
  readonly headStep: number
  readonly positionStep: number
  readonly rotated: number
}

function geometry(node: string, shape: readonly number[], attributes: InferContext['attributes']): Geometry {
  const given = numberAttribute(attributes, 'num_heads')
  if (shape.length !== 4 && (shape.length !== 3 || given < 1 || shape[2] % given !== 0))
    refuse(node, `RotaryEmbedding of shape [${shape}] with num_heads ${given}`)
  const [batch, heads, length, features] =
    shape.length === 4 ? shape : [shape[0], given, shape[1], shape[2] / Math.max(1, given)]
  const rotated = numberAttribute(attributes, 'rotary_embedding_dim') || features
  if (rotated % 2 !== 0 || rotated < 0 || rotated > features) refuse(node, `${rotated} of ${features} features rotate`)
  const [headStep, positionStep] = shape.length === 4 ? [length * features, features] : [features, heads * features]
  return { batch, heads, length, features, headStep, positionStep, rotated }
}

/** ONNX RotaryEmbedding; position ids may be computed at run time. */
export const rotaryEmbedding: Operator = {
  name: 'RotaryEmbedding',
  since: [23],
  inputs: [3, 4],
  outputs: [1, 1],
  attributes: {
    interleaved: { kind: 'int', flag: true, default: 0 },
    num_heads: { kind: 'int', default: 0 },
    rotary_embedding_dim: { kind: 'int', default: 0 },
  },
  integer: 'none',
  infer: (context) => {
    const { node } = context
    const { shape } = operand(context, 0)
    const { batch, length, rotated } = geometry(node, shape, context.attributes)
    const ids = context.inputs[3]
    const [cosines, sines] = [operand(context, 1).shape, operand(context, 2).shape]
    const wanted = ids === undefined ? [batch, length, rotated / 2] : [cosines[0], rotated / 2]
    if (String(cosines) !== String(wanted) || String(sines) !== String(wanted))
      refuse(node, `caches of shapes [${cosines}] and [${sines}]; [${wanted}] is needed`)
    if (ids !== undefined && (ids.type !== 'int64' || String(ids.shape) !== String([batch, length])))
      refuse(node, `position ids are ${ids.type}[${ids.shape}]; int64[${batch},${length}] is needed`)
    return [{ type: floatResult({ ...context, inputs: context.inputs.slice(0, 3) }), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, cosines, sines] = inputs.slice(0, 3).map((input) => numbersOf(input, node))
    const ids = inputs[3]
    const [{ type, shape }] = outputs
    const { batch, heads, length, features, headStep, positionStep, rotated } = geometry(node, shape, attributes)
    const interleaved = numberAttribute(attributes, 'interleaved') !== 0
    const half = rotated / 2
    const rows = (inputs[1] as Tensor).shape[0]
    const data = allocate(type, x.length)
    for (let i = 0; i < x.length; i++) data[i] = x[i]
    for (let b = 0; b < batch; b++)
      for (let p = 0; p < length; p++) {
        const row = ids === undefined ? b * length + p : Number(ids.data[b * length + p])
        if (ids !== undefined && !(row >= 0 && row < rows)) refuse(node, `position ${row} is not in a cache of ${rows}`)
        for (let h = 0; h < heads; h++) {
          const start = b * heads * length * features + h * headStep + p * positionStep
          for (let k = 0; k < half; k++) {
            const [first, second] = interleaved ? [2 * k, 2 * k + 1] : [k, k + half]
            const [cosine, sine] = [cosines[row * half + k], sines[row * half + k]]
            const [a, c] = [x[start + first], x[start + second]]
            data[start + first] = cosine * a - sine * c
            data[start + second] = sine * a + cosine * c
          }
        }
      }
    return [{ type, shape, data }]
  },
}
