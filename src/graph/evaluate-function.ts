/** The float meaning of a function of one value at given points, for everything that tabulates or studies it. */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from './graph.ts'
import { operators } from './operators/index.ts'
import { readNumbers } from './tensor.ts'

/**
 * The node's function, in float32, at `points`; its further inputs are constants. Throws `unsupported` where one of them is
 * computed at run time.
 */
export function evaluateFunction(node: Node, constants: Graph['constants'], points: Float32Array): ArrayLike<number> {
  const operator = operators.get(node.operator)
  if (operator === undefined) throw new DyadicError('unsupported', `operator ${quoted(node.operator)} is unknown`)
  const parameters = node.inputs.slice(1).map((name) => {
    if (name === '') return undefined
    const constant = constants.get(name)
    if (constant === undefined)
      throw new DyadicError(
        'unsupported',
        `node ${quoted(node.name)} (${node.operator}): input ${quoted(name)} is computed at run time; it must be a constant`,
      )
    return { type: 'float32' as const, shape: constant.shape, data: Float32Array.from(readNumbers(constant)) }
  })
  const [{ data }] = operator.evaluate({
    node: node.name,
    inputs: [{ type: 'float32', shape: [points.length], data: points }, ...parameters],
    attributes: node.attributes,
    outputs: [{ type: 'float32', shape: [points.length] }],
  })
  return data as ArrayLike<number>
}
