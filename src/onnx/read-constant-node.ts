/** The value of a `Constant` node: exactly one of its attributes, as a constant of the graph. */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'

/** Throws `refused` unless the node has exactly one value of the right kind, `unsupported` when that value is text. */
export function readConstantNode(node: Node): Constant {
  const refuse = (problem: string): never => {
    throw new DyadicError('refused', `node ${quoted(node.name)} (Constant) ${problem}`)
  }
  if (node.inputs.length !== 0 || node.outputs.length !== 1)
    refuse(`has ${node.inputs.length} inputs and ${node.outputs.length} outputs; it takes none and gives one`)
  if (node.attributes.size !== 1) refuse(`has ${node.attributes.size} attributes; exactly one holds its value`)
  const [[attribute, value]] = node.attributes
  switch (attribute) {
    case 'value':
      return isConstant(value) ? value : refuse('has a value that is no tensor')
    case 'value_float':
      return typeof value === 'number' ? makeConstant('float32', [], [value]) : refuse('has no number in value_float')
    case 'value_floats':
      return isNumbers(value)
        ? makeConstant('float32', [value.length], value)
        : refuse('has no numbers in value_floats')
    case 'value_int':
      return isInteger(value) ? makeConstant('int64', [], [value]) : refuse('has no integer in value_int')
    case 'value_ints':
      return isNumbers(value) && value.every(isInteger)
        ? makeConstant('int64', [value.length], value)
        : refuse('has no integers in value_ints')
    case 'value_string':
    case 'value_strings':
      throw new DyadicError('unsupported', `node ${quoted(node.name)} (Constant) holds text; dyadic reads numbers only`)
    default:
      return refuse(`has the attribute ${quoted(attribute)}, which is none of its values`)
  }
}

function isConstant(value: AttributeValue): value is Constant {
  return typeof value === 'object' && 'bytes' in value
}

function isNumbers(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
}

function isInteger(value: AttributeValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}
