/**
 * From an arithmetic and a network to what an executor runs: the graph with rounded weights, what happens to stored values, and
 * how layers multiply. And what that stores and computes with, for counting.
 */
import type { Graph, Node } from '../graph/graph.ts'
import type { Operator } from '../graph/operator.ts'
import { addConstant, rebuild } from '../graph/rewrite.ts'
import type { Constant } from '../graph/tensor.ts'
import type { ProductRule } from '../kernels/simulation-products.ts'
import type { Transform } from '../reference/fast.ts'
import type { Arithmetic } from './arithmetic.ts'
import { type HeldTensor, operandTensor, unrounded } from './held-tensor.ts'
import { chooseByLayer, layersOf, type StudyLayer, sourceOf } from './layers.ts'
import { layerEvaluation, productWay } from './products.ts'
import { elementsOf, type ResolveOptions, resolveValues } from './round-activations.ts'
import { copyNodes, roundOperands } from './round-operands.ts'
import { roundWeights } from './round-weights.ts'
import { roundingFormat } from './study-format.ts'

/** A multiplying node under an arithmetic. */
export interface ResolvedLayer {
  readonly name: string
  readonly operator: string
  readonly macs: number
  /** What is multiplied: weights or the second operand, and the input. */
  readonly weight: HeldTensor
  readonly input: HeldTensor
  readonly products: string
  readonly accumulators: string
}

/** A network under an arithmetic. */
export interface ResolvedNetwork {
  readonly graph: Graph
  readonly transforms: ReadonlyMap<string, Transform>
  readonly evaluations: ReadonlyMap<string, Operator['evaluate']>
  readonly products: ReadonlyMap<string, ProductRule>
  readonly layers: readonly ResolvedLayer[]
  /** By name of the constant's layer, and by name of the value. */
  readonly weights: ReadonlyMap<string, HeldTensor>
  readonly values: ReadonlyMap<string, HeldTensor>
}

/**
 * Resolves an arithmetic for a network in its fused form. Throws as `checkArithmetic`, and `refused` for weights that are not
 * finite and for values without statistics.
 */
export function resolveArithmetic(graph: Graph, arithmetic: Arithmetic, options: ResolveOptions = {}): ResolvedNetwork {
  const choice = chooseByLayer(graph, arithmetic)
  const { transforms, values } = resolveValues(graph, arithmetic, choice, options)
  const weights = new Map<string, HeldTensor>()
  const constants = new Map<string, Constant>(graph.constants)
  const replaced = new Map<Node, readonly Node[]>()
  const evaluations = new Map<string, Operator['evaluate']>()
  const products = new Map<string, ProductRule>()
  const shared = new Map<string, ProductRule>()
  const heldValue = (name: string): HeldTensor =>
    values.get(sourceOf(graph, name)) ?? unrounded(elementsOf(graph, name))
  const resolveLayer = (layer: StudyLayer): ResolvedLayer => {
    const { node, name, weight, macs } = layer
    const way = productWay(choice, layer, shared)
    const inputs = [...node.inputs]
    const operand = weight === undefined ? operandTensor(choice.of('operands', name)) : undefined
    const input = operand ?? heldValue(node.inputs[weight?.index === 0 ? 1 : 0] as string)
    let second = operand ?? heldValue(node.inputs[1] as string)
    let weightShape: readonly number[] = []
    if (weight !== undefined) {
      const constant = graph.constants.get(weight.constant) as Constant
      const rounded = roundWeights(layer, constant, roundingFormat(choice.of('weights', name)), way.factor, arithmetic)
      second = rounded.held
      weightShape = constant.shape
      weights.set(name, second)
      if (rounded.constant !== constant)
        inputs[weight.index] = addConstant(graph, constants, `${weight.constant}:rounded`, rounded.constant)
    }
    const copies = roundOperands(graph, layer, way, inputs, options.statistics, arithmetic.range)
    for (const [copied, transform] of copies) transforms.set(copied, transform)
    if (inputs.some((one, index) => one !== node.inputs[index]))
      replaced.set(node, [...copyNodes(node, inputs, copies), { ...node, inputs }])
    const matrices = node.inputs.slice(0, 2).every((one) => (graph.values.get(one)?.shape.length ?? 0) > 1)
    const evaluation = layerEvaluation(layer, way, second, input, weightShape, matrices)
    if (evaluation !== undefined) evaluations.set(name, evaluation)
    else if (way.rule !== undefined) products.set(name, way.rule)
    return {
      ...{ name, operator: node.operator, macs, input, weight: second },
      ...{ products: choice.of('products', name), accumulators: choice.of('accumulators', name) },
    }
  }
  const layers = layersOf(graph).map(resolveLayer)
  const nodes = graph.nodes.flatMap((node) => replaced.get(node) ?? [node])
  return {
    graph: replaced.size === 0 ? graph : rebuild(graph, { nodes, constants }),
    ...{ transforms, evaluations, products, layers, weights, values },
  }
}
