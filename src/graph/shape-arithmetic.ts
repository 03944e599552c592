/**
 * Sizes that a model computes: `Shape` of a value with a static shape is a constant, and so is the integer arithmetic that
 * exporters build on it to feed Reshape, Slice or Resize. It is computed while shapes are inferred, because the shape rules
 * behind it need the result. Bounded: only small tensors take part, so that a hostile file cannot grow here; larger
 * constants are folded by `simplify`.
 */
import type { Node, Value } from './graph.ts'
import type { Operator } from './operator.ts'
import { operators } from './operators/index.ts'
import { type Constant, type ElementType, elementCount, readConstant } from './tensor.ts'

/** Elements of any tensor that takes part: far more than a shape has axes. */
const MAXIMUM_ELEMENTS = 256

/** Types that sizes and indices have. */
const INDEX_TYPES: ReadonlySet<ElementType> = new Set(['int64', 'int32', 'bool'])

/** The operators that exporters compute sizes with. */
const ARITHMETIC: ReadonlySet<string> = new Set([
  ...['Add', 'Cast', 'Concat', 'ConstantOfShape', 'Div', 'Equal', 'Expand', 'Gather', 'Identity', 'Max', 'Min', 'Mul'],
  ...['Not', 'Range', 'Reshape', 'Slice', 'Split', 'Squeeze', 'Sub', 'Tile', 'Transpose', 'Unsqueeze', 'Where'],
  ...['Abs', 'And', 'CastLike', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Mod', 'Neg', 'Or'],
  ...['ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceSum'],
])

/**
 * Adds the node's results to `constants` when they are sizes known now, and says whether it did. `values` has the node's
 * outputs already. Throws what the operator's float meaning throws, such as `refused` on a division by zero.
 */
export function foldShapeArithmetic(
  node: Node,
  values: ReadonlyMap<string, Value>,
  constants: Map<string, Constant>,
): boolean {
  const outputs = node.outputs.filter((name) => name !== '').map((name) => values.get(name) as Value)
  if (outputs.some(({ type, shape }) => !INDEX_TYPES.has(type) || elementCount(shape) > MAXIMUM_ELEMENTS)) return false
  const operator = operators.get(node.operator) as Operator
  if (node.operator === 'Shape' || node.operator === 'Size') {
    // The value itself is not read, only its shape.
    const { type, shape } = values.get(node.inputs[0]) as Value
    const inputs = [{ type, shape, data: new Uint8Array() }]
    return keep(operator.evaluate({ node: node.name, inputs, attributes: node.attributes, outputs }))
  }
  if (!ARITHMETIC.has(node.operator) || outputs.length !== node.outputs.length) return false
  const operands = node.inputs.map((name) => (name === '' ? undefined : constants.get(name)))
  const known = operands.every(
    (constant, index) => node.inputs[index] === '' || (constant && elementCount(constant.shape) <= MAXIMUM_ELEMENTS),
  )
  if (!known) return false
  const inputs = operands.map(
    (constant) => constant && { type: constant.type, shape: constant.shape, data: readConstant(constant) },
  )
  return keep(operator.evaluate({ node: node.name, inputs, attributes: node.attributes, outputs }))

  function keep(results: ReturnType<Operator['evaluate']>): true {
    outputs.forEach(({ name }, index) => {
      const { type, shape, data } = results[index]
      constants.set(name, { type, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    })
    return true
  }
}
