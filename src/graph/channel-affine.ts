/**
 * Nodes that multiply and shift each channel (axis 1) by constants, whatever the file calls them: BatchNormalization, and
 * Add or Mul with a constant that is one number or one number per channel.
 */
import type { Graph, Node, Value } from './graph.ts'
import { isFloat } from './operators/context.ts'
import { type Constant, readNumbers } from './tensor.ts'

/** output[n][c]… = scale[c] · input[n][c]… + shift[c], of equal shapes. */
export interface ChannelAffine {
  readonly input: string
  readonly scale: readonly number[]
  readonly shift: readonly number[]
  /** Whether a parameter is `float64`: what is made from it then stays `float64`. */
  readonly exact: boolean
}

/** The node as a channel-wise affine map, or `undefined` when it is none. */
export function channelAffine(graph: Graph, node: Node): ChannelAffine | undefined {
  const output = graph.values.get(node.outputs[0]) as Value
  if (output.shape.length < 2 || !isFloat(output.type)) return undefined
  const channels = output.shape[1]
  if (node.operator === 'BatchNormalization') {
    if (node.attributes.get('training_mode')) return undefined
    const parameters = node.inputs.slice(1).map((name) => graph.constants.get(name))
    if (parameters.some((parameter) => parameter === undefined)) return undefined
    const [gamma, beta, mean, variance] = (parameters as Constant[]).map(readNumbers)
    const epsilon = node.attributes.get('epsilon') as number
    const scale = gamma.map((value, c) => value / Math.sqrt(variance[c] + epsilon))
    return {
      input: node.inputs[0],
      scale,
      shift: beta.map((value, c) => value - mean[c] * scale[c]),
      exact: parameters.some((parameter) => parameter?.type === 'float64'),
    }
  }
  if (node.operator !== 'Add' && node.operator !== 'Mul') return undefined
  const side = graph.constants.has(node.inputs[1]) ? 1 : 0
  const constant = graph.constants.get(node.inputs[side])
  const input = node.inputs[1 - side]
  if (constant === undefined || graph.constants.has(input)) return undefined
  if (String((graph.values.get(input) as Value).shape) !== String(output.shape)) return undefined
  const channelAxis = 1 - output.shape.length + constant.shape.length
  if (constant.shape.some((size, axis) => size !== 1 && axis !== channelAxis)) return undefined
  const numbers = readNumbers(constant)
  const values = Array.from({ length: channels }, (_, c) => numbers[numbers.length === 1 ? 0 : c])
  const fill = (value: number) => new Array<number>(channels).fill(value)
  return {
    input,
    scale: node.operator === 'Mul' ? values : fill(1),
    shift: node.operator === 'Add' ? values : fill(0),
    exact: constant.type === 'float64',
  }
}
