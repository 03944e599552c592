/** Lowerings of functions of one element that have no kernel: Sigmoid and Swish by loops of their own, others by definition. */
import type { Operator } from '../../graph/operator.ts'
import { operators } from '../../graph/operators/index.ts'
import { attributeOr } from './attributes.ts'
import { laneCount } from './layout.ts'
import { sigmoidOf, swishOf } from './logistic.ts'
import type { Lowering } from './planner.ts'

type Loop = (floats: Float32Array, from: number, to: number, count: number) => void

/** Runs a loop over all lanes; what it makes of the padding lanes does not matter. */
function over(makeLoop: (node: Parameters<Lowering>[0]) => Loop): Lowering {
  return (node, planner) => {
    const input = planner.view(node.inputs[0])
    if (!input || !planner.matrixLayout(node.outputs[0])) return false
    const loop = makeLoop(node)
    const output = planner.defineOver(node.outputs[0], input)
    const count = laneCount(input.layout)
    planner.emit(({ floats }) => loop(floats, input.buffer.address / 4, output.buffer.address / 4, count))
    return true
  }
}

export const sigmoid = over(() => sigmoidOf)

export const swish = over((node) => {
  const alpha = attributeOr(node, 'alpha', 1)
  return (floats, from, to, count) => swishOf(floats, from, to, count, alpha)
})

/** Any operator that is a function of each element of its only input, by its own float meaning. */
export const pointwise = over((node) => {
  const operator = operators.get(node.operator) as Operator
  return (floats, from, to, count) => {
    const shape = [count]
    const [result] = operator.evaluate({
      node: node.name,
      inputs: [{ type: 'float32', shape, data: floats.subarray(from, from + count) }],
      attributes: node.attributes,
      outputs: [{ type: 'float32', shape }],
    })
    floats.set(result.data as Float32Array, to)
  }
})
