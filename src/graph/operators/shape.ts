/**
 * Operators that rename axes and change no number: Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Identity and Dropout
 * (inference). Of any element type.
 */
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, readNumbers } from '../tensor.ts'
import { constantNumbers, numberAttribute, numbersAttribute, operand, refuse, unsupported } from './context.ts'
import { copyStrided, normalizeAxes, normalizeAxis, rowMajorStrides } from './layout.ts'

/** An operator whose output has the input's elements in the input's order. */
function renaming(
  name: string,
  since: readonly number[],
  inputs: readonly [number, number],
  attributes: Readonly<Record<string, AttributeSchema>>,
  shapeOf: (context: InferContext) => readonly number[],
): Operator {
  return {
    name,
    since,
    inputs,
    outputs: [1, 1],
    attributes,
    integer: 'same-scale',
    infer: (context) => [{ type: operand(context, 0).type, shape: shapeOf(context) }],
    evaluate: (context) => {
      const [{ type, shape }] = context.outputs
      return [{ type, shape, data: context.inputs[0]!.data.slice() }]
    },
  }
}

/** ONNX Reshape: 0 copies the input's size (unless allowzero), one −1 is inferred. */
export const reshape: Operator = renaming(
  'Reshape',
  [5, 13, 14, 19, 21, 23],
  [2, 2],
  { allowzero: { kind: 'int', flag: true, default: 0 } },
  (context) => {
    const x = operand(context, 0).shape
    const { node } = context
    const target = constantNumbers(context, 1, 'target shape') as number[]
    const copies = numberAttribute(context.attributes, 'allowzero') === 0
    const shape = target.map((size, axis) => {
      if (size < -1) refuse(node, `target shape [${target}] has a negative size`)
      if (size !== 0 || !copies) return size
      return x[axis] ?? refuse(node, `target shape [${target}] copies axis ${axis}, which the input [${x}] lacks`)
    })
    const open = shape.indexOf(-1)
    if (open !== shape.lastIndexOf(-1)) refuse(node, `target shape [${target}] leaves more than one size open`)
    const total = elementCount(x)
    if (open >= 0) {
      const known = elementCount(shape.filter((_, axis) => axis !== open))
      if (known === 0 || total % known !== 0)
        refuse(node, `${total} elements of shape [${x}] cannot be arranged as [${target}]`)
      shape[open] = total / known
    }
    if (elementCount(shape) !== total)
      refuse(node, `${total} elements of shape [${x}] cannot be arranged as [${target}]`)
    return shape
  },
)

/** ONNX Flatten: to a matrix, cut before `axis`. */
export const flatten: Operator = renaming(
  'Flatten',
  [1, 9, 11, 13, 21, 23],
  [1, 1],
  { axis: { kind: 'int', default: 1 } },
  (context) => {
    const x = operand(context, 0).shape
    const given = numberAttribute(context.attributes, 'axis')
    const axis = given === x.length ? given : normalizeAxis(given, Math.max(1, x.length), context.node)
    return [elementCount(x.slice(0, axis)), elementCount(x.slice(axis))]
  },
)

/** ONNX Squeeze: drops the given axes of size 1, or all of them. */
export const squeeze: Operator = renaming('Squeeze', [1, 11, 13, 21, 23], [1, 2], {}, (context) => {
  const x = operand(context, 0).shape
  const given = constantNumbers(context, 1, 'axes')
  if (given === undefined) return x.filter((size) => size !== 1)
  const axes = normalizeAxes(given, x.length, context.node)
  for (const axis of axes)
    if (x[axis] !== 1)
      refuse(context.node, `axis ${axis} of shape [${x}] has size ${x[axis]}; only size 1 can be dropped`)
  return x.filter((_, axis) => !axes.includes(axis))
})

/** ONNX Unsqueeze: inserts axes of size 1, counted in the output. */
export const unsqueeze: Operator = renaming('Unsqueeze', [1, 11, 13, 21, 23], [2, 2], {}, (context) => {
  const rest = [...operand(context, 0).shape]
  const given = constantNumbers(context, 1, 'axes') as number[]
  const rank = rest.length + given.length
  const axes = normalizeAxes(given, rank, context.node)
  return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() as number)))
})

/** ONNX Identity. */
export const identity: Operator = renaming(
  'Identity',
  [1, 13, 14, 16, 19, 21, 23],
  [1, 1],
  {},
  (context) => operand(context, 0).shape,
)

/**
 * ONNX Dropout that drops nothing: at inference, where the ratio is ignored, as ONNX says, and in training with ratio 0. The
 * identity, with a mask of ones. ONNX leaves the generator of a random mask open, so no other form has one right result; one with
 * a seed is drawn while a file is read (src/onnx/draw-dropout.ts).
 */
export const dropout: Operator = {
  name: 'Dropout',
  since: [7, 10, 12, 13, 22],
  inputs: [1, 3],
  outputs: [1, 2],
  attributes: { seed: { kind: 'int' } },
  integer: 'same-scale',
  infer: (context) => {
    const number = (index: number, what: string): number | undefined => {
      if (context.inputs[index] === undefined) return undefined
      const constant = context.constant(index)
      if (constant === undefined || elementCount(constant.shape) !== 1)
        unsupported(
          context.node,
          `its ${what} (input ${index}) is computed at run time or no single value; bind it to a constant`,
        )
      return readNumbers(constant)[0]
    }
    const training = (number(2, 'training_mode') ?? 0) !== 0
    if (training && (number(1, 'ratio') ?? 0.5) !== 0)
      unsupported(
        context.node,
        'Dropout in training mode, whose random numbers ONNX leaves open; export the model for inference, with ratio 0, or with a seed',
      )
    const { type, shape } = operand(context, 0)
    return [
      { type, shape },
      { type: 'bool', shape },
    ]
  },
  evaluate: ({ inputs, outputs }) => {
    const data = inputs[0]!.data.slice()
    const mask = new Uint8Array(data.length).fill(1)
    return outputs.map(({ type, shape }, index) => ({ type, shape, data: index === 0 ? data : mask }))
  },
}

/** The permutation of a Transpose node; axes are reversed where none is given. */
function permutation(attributes: InferContext['attributes'], rank: number, node: string): number[] {
  const given = numbersAttribute(attributes, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (given.length !== rank || given.some((axis) => axis < 0))
    refuse(node, `perm [${given}] is no permutation of ${rank} axes`)
  return normalizeAxes(given, rank, node)
}

/** ONNX Transpose. */
export const transpose: Operator = {
  name: 'Transpose',
  since: [1, 13, 21, 23],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { perm: { kind: 'ints' } },
  integer: 'same-scale',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    return [{ type, shape: permutation(context.attributes, shape.length, context.node).map((axis) => shape[axis]) }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const [{ type, shape }] = outputs
    const own = rowMajorStrides(x.shape)
    const strides = permutation(attributes, shape.length, node).map((axis) => own[axis])
    const data = allocate(type, x.data.length)
    copyStrided(shape, { data: x.data, offset: 0, strides }, { data, offset: 0, strides: rowMajorStrides(shape) })
    return [{ type, shape, data }]
  },
}
