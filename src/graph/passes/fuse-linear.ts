/**
 * Brings convolutions and matrix products with constant weights into the fused forms: Conv to `dyadic.Conv` with an explicit
 * window, Gemm and MatMul with a constant matrix to `dyadic.Dense` with output-major weights and a bias vector. Constants are
 * kept where they already stand in that form.
 */
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { convolutionWindow } from '../operators/convolution.ts'
import { addConstant, type MutableConstants, rebuild } from '../rewrite.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../tensor.ts'

export function fuseLinear(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const weights = graph.constants.get(node.inputs[1] ?? '')
    const bias = graph.constants.get(node.inputs[2] ?? '')
    if (weights === undefined || (node.inputs[2] && bias === undefined)) return node
    let fused: Node | undefined
    if (node.operator === 'Conv') fused = fuseConvolution(graph, node)
    else if (node.operator === 'Gemm' || node.operator === 'MatMul')
      fused = fuseProduct(graph, constants, node, weights, bias)
    if (fused === undefined) return node
    changed = true
    return fused
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

function fuseConvolution(graph: Graph, node: Node): Node {
  const [x, w] = node.inputs.map((name) => (graph.values.get(name) as Value | undefined)?.shape ?? [])
  const { kernel, strides, dilations, pads } = convolutionWindow(node.name, node.attributes, x, w)
  const attributes = new Map<string, AttributeValue>([
    ['kernel_shape', kernel],
    ['strides', strides],
    ['dilations', dilations],
    ['pads', pads],
    ['group', node.attributes.get('group') as number],
  ])
  return { ...node, operator: 'dyadic.Conv', attributes }
}

function fuseProduct(
  graph: Graph,
  constants: MutableConstants,
  node: Node,
  weights: Constant,
  bias: Constant | undefined,
): Node | undefined {
  const input = graph.values.get(node.inputs[0]) as Value
  const { shape } = weights
  // A stack of one matrix is a matrix, unless it gives the product more axes than the input has.
  const isMatrix = shape.length >= 2 && shape.slice(0, -2).every((size) => size === 1)
  if (!isMatrix || input.shape.length < shape.length) return undefined
  const option = (name: string, absent: number) => (node.attributes.get(name) as number | undefined) ?? absent
  if (option('transA', 0) !== 0) return undefined
  const outputFirst = option('transB', 0) !== 0
  const [rows, columns] = outputFirst ? shape : shape.slice(-2).toReversed()
  const [output] = node.outputs
  const inputs = [node.inputs[0], node.inputs[1]]
  const alpha = option('alpha', 1)
  if (!outputFirst || alpha !== 1) {
    const numbers = readNumbers(weights)
    const arranged = numbers.map((_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns]
      return alpha * numbers[outputFirst ? i : column * rows + row]
    })
    const constant = makeConstant(weights.type, [rows, columns], arranged)
    inputs[1] = addConstant(graph, constants, `${node.inputs[1]}:dense`, constant)
  }
  if (bias !== undefined) {
    const count = elementCount(bias.shape)
    // C may be a matrix with a row per sample, which no bias vector holds.
    if ((count !== 1 && count !== rows) || (bias.shape.at(-1) ?? 1) !== count) return undefined
    const beta = option('beta', 1)
    if (bias.shape.length === 1 && count === rows && beta === 1) inputs.push(node.inputs[2])
    else {
      const numbers = readNumbers(bias)
      const vector = Array.from({ length: rows }, (_, i) => beta * numbers[count === 1 ? 0 : i])
      inputs.push(addConstant(graph, constants, `${output}:bias`, makeConstant(bias.type, [rows], vector)))
    }
  }
  return { ...node, operator: 'dyadic.Dense', inputs, attributes: new Map() }
}
