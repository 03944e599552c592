/** Operators that mark positions: EyeLike a diagonal, OneHot the places that indices name. */
import { isInteger, storeInteger } from '../element-conversion.ts'
import type { Operator } from '../operator.ts'
import { allocate, elementCount, readNumbers } from '../tensor.ts'
import { namedType } from './cast.ts'
import { numberAttribute, operand, refuse, unsupported } from './context.ts'
import { normalizeAxis } from './layout.ts'

/** ONNX EyeLike: ones on diagonal k of a matrix of the input's shape; its type is `dtype` or the input's. */
export const eyeLike: Operator = {
  name: 'EyeLike',
  since: [9, 22],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { dtype: { kind: 'int' }, k: { kind: 'int', default: 0 } },
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    if (shape.length !== 2) refuse(context.node, `EyeLike of shape [${shape}]; a matrix is needed`)
    return [{ type: context.attributes.has('dtype') ? namedType(context, 'dtype') : type, shape }]
  },
  evaluate: ({ attributes, outputs }) => {
    const [{ type, shape }] = outputs
    const [rows, columns] = shape
    const diagonal = numberAttribute(attributes, 'k')
    const data = allocate(type, rows * columns)
    for (let row = 0; row < rows; row++) {
      const column = row + diagonal
      if (column < 0 || column >= columns) continue
      if (isInteger(type)) storeInteger(data, row * columns + column, 1n)
      else data[row * columns + column] = 1
    }
    return [{ type, shape, data }]
  },
}

/** ONNX OneHot: inputs indices, a constant depth, values (off, on); an index outside −depth … depth − 1 gives all off. */
export const oneHot: Operator = {
  name: 'OneHot',
  since: [9, 11],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: -1 } },
  integer: 'none',
  infer: (context) => {
    const { node } = context
    const { shape } = operand(context, 0)
    const values = operand(context, 2)
    if (values.shape.length !== 1 || values.shape[0] !== 2)
      refuse(node, `the values have shape [${values.shape}]; one for off and one for on are needed`)
    const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length + 1, node)
    return [{ type: values.type, shape: [...shape.slice(0, axis), depthOf(context), ...shape.slice(axis)] }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [indices, , values] = inputs
    const [{ type, shape }] = outputs
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    const depth = shape[axis]
    const inner = elementCount(shape.slice(axis + 1))
    const [off, on] = values!.data as ArrayLike<number | bigint> & Iterable<number | bigint>
    const data = allocate(type, elementCount(shape))
    for (let i = 0; i < data.length; i++) {
      const index = Number(indices!.data[Math.floor(i / (inner * depth)) * inner + (i % inner)])
      const place = Math.floor(i / inner) % depth
      data[i] = (index < 0 ? index + depth : index) === place ? on : off
    }
    return [{ type, shape, data }]
  },
}

/** The depth, which may be of any number type. */
function depthOf(context: Parameters<Operator['infer']>[0]): number {
  const constant = context.constant(1)
  if (constant === undefined)
    unsupported(context.node, 'its depth (input 1) is computed at run time; shapes must be static: bind it')
  const [depth] = readNumbers(constant)
  if (elementCount(constant.shape) !== 1 || !(depth >= 1)) refuse(context.node, `the depth of OneHot is ${depth}`)
  return Math.trunc(depth)
}
