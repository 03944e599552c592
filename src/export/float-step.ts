/**
 * One node of a fused graph as standard ONNX operators on reals: fused forms come apart into convolution, addition and
 * bounds. Nothing is rounded between the parts, because the program rounds once, too.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import type { Operator } from '../graph/operator.ts'
import { operators } from '../graph/operators/index.ts'
import { makeConstant } from '../graph/tensor.ts'
import type { ExportedValues } from './exported-values.ts'
import { EXPORT_OPSET } from './model-writer.ts'
import { storeConstant } from './onnx-tensor.ts'
import type { ExportedLayer } from './quantised-network.ts'

/** Writes the node and rounds what it computes, where the plan rounds it. */
export function exportFloatStep(values: ExportedValues, node: Node): void {
  const { writer } = values
  if (node.operator === 'dyadic.Conv' || node.operator === 'dyadic.Dense') exportLayer(values, node)
  else if (node.operator === 'dyadic.Add') {
    const inputs = node.inputs.map((name) => values.real(name))
    exportChain(values, node, [{ operator: 'Add', inputs }, ...boundSteps(values, node)])
  } else if (node.operator === 'dyadic.MatMul') {
    const factor = (node.attributes.get('factor') as number | undefined) ?? 1
    const product: Step = { operator: 'MatMul', inputs: node.inputs.map((name) => values.real(name)) }
    const scalar = (): string => writer.scalar(`${node.outputs[0]}.factor`, 'float32', factor)
    exportChain(values, node, factor === 1 ? [product] : [product, { operator: 'Mul', inputs: [PREVIOUS, scalar()] }])
  } else if (node.operator === 'Swish') {
    // The default operator set has it since version 24.
    const x = values.real(node.inputs[0])
    const alpha = (node.attributes.get('alpha') as number | undefined) ?? 1
    const factor = (): string => writer.scalar(`${node.outputs[0]}.alpha`, 'float32', alpha)
    const scaled: Step[] = alpha === 1 ? [] : [{ operator: 'Mul', inputs: [x, factor()] }]
    const gate: Step = { operator: 'Sigmoid', inputs: [alpha === 1 ? x : PREVIOUS] }
    exportChain(values, node, [...scaled, gate, { operator: 'Mul', inputs: [x, PREVIOUS] }])
  } else {
    const definition = operators.get(node.operator) as Operator
    if (Math.min(...definition.since) > EXPORT_OPSET)
      throw new DyadicError(
        'unsupported',
        `node ${quoted(node.name)} (${node.operator}) is newer than operator set ${EXPORT_OPSET}, which exports are written for`,
      )
    const inputs = node.inputs.map((name) => operand(values, name))
    const raws = node.outputs.map((name) => values.rawName(name))
    writer.node(node.operator, inputs, raws, node.attributes, { kinds: definition.attributes })
    node.outputs.forEach((name, index) => void values.storeReal(name, raws[index]))
  }
}

/** A node's operand as a float node reads it: nothing, a constant, or a computed value. */
function operand(values: ExportedValues, name: string): string {
  if (name === '') return ''
  const constant = values.network.graph.constants.get(name)
  return constant === undefined
    ? values.real(name)
    : values.writer.graphConstant(name, () => storeConstant(constant, `value ${quoted(name)}`))
}

/** Stands for the output of the step before. */
const PREVIOUS: unique symbol = Symbol('previous')

interface Step {
  readonly operator: string
  readonly inputs: readonly (string | typeof PREVIOUS)[]
  readonly attributes?: Node['attributes'] | Readonly<Record<string, number>>
}

/** Nodes each of which reads the one before; the last one computes the node's value. */
function exportChain(values: ExportedValues, node: Node, steps: readonly Step[]): void {
  const [name] = node.outputs
  let previous = ''
  steps.forEach(({ operator, inputs, attributes }, index) => {
    const output =
      index + 1 === steps.length ? values.rawName(name) : values.writer.free(`${name}.${operator.toLowerCase()}`)
    values.writer.node(
      operator,
      inputs.map((input) => (input === PREVIOUS ? previous : input)),
      output,
      attributes,
    )
    previous = output
  })
  values.storeReal(name, previous)
}

function exportLayer(values: ExportedValues, node: Node): void {
  const layer = values.network.layer(node)
  const input = values.real(node.inputs[0])
  const residual = node.inputs[3]
  const inputs = [input, ...values.weights(layer)]
  const product: Step[] =
    node.operator === 'dyadic.Conv'
      ? [{ operator: 'Conv', inputs, attributes: convolutionAttributes(node) }]
      : values.network.graph.values.get(node.inputs[0])?.shape.length === 2
        ? [{ operator: 'Gemm', inputs, attributes: { transB: 1 } }]
        : rowProduct(inputs)
  const addition: Step[] = residual ? [{ operator: 'Add', inputs: [PREVIOUS, values.real(residual)] }] : []
  exportChain(values, node, [...product, ...addition, ...boundSteps(values, node, layer)])
}

/** A dense layer on more than two axes: input, weights [output][input] and, where there is one, the bias. */
function rowProduct([input, weights, ...bias]: readonly string[]): Step[] {
  const steps: Step[] = [
    { operator: 'Transpose', inputs: [weights] },
    { operator: 'MatMul', inputs: [input, PREVIOUS] },
  ]
  return bias.length > 0 ? [...steps, { operator: 'Add', inputs: [PREVIOUS, bias[0]] }] : steps
}

/** What a convolution keeps of its fused form's attributes. */
export function convolutionAttributes({ attributes }: Node): Node['attributes'] {
  return new Map([...attributes].filter(([name]) => name !== 'low' && name !== 'high'))
}

/**
 * The bounds of a fused node: Relu, Clip or nothing. Values in units of their own are bounded by codes, since a bound other
 * than 0 is another number in every channel.
 */
function boundSteps(values: ExportedValues, node: Node, layer?: ExportedLayer): Step[] {
  const [name] = node.outputs
  const grid = values.network.grid(name)
  const own = layer !== undefined && values.network.channelScales(name) !== undefined
  const bound = (end: 'low' | 'high'): number | undefined => {
    const real = node.attributes.get(end) as number | undefined
    return real === undefined || real === 0 || !own || grid === undefined
      ? real
      : (layer.clamp[end] - grid.zeroPoint[0]) * grid.scale
  }
  const [low, high] = [bound('low'), bound('high')]
  if (low === undefined && high === undefined) return []
  if (low === 0 && high === undefined) return [{ operator: 'Relu', inputs: [PREVIOUS] }]
  const constant = (end: string, value: number | undefined): string =>
    value === undefined
      ? ''
      : values.writer.constant(`${name}.${end}`, storeConstant(makeConstant('float32', [], [value]), end))
  const limits = [constant('low', low), constant('high', high)]
  return [{ operator: 'Clip', inputs: high === undefined ? [PREVIOUS, limits[0]] : [PREVIOUS, ...limits] }]
}
