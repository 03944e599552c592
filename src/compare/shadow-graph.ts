/**
 * The float network with shadows: beside every layer with weights stand copies of it that read the same float values but
 * have quantised weights. One run of a float executor then gives each layer's output with and without quantisation.
 */
import type { AttributeValue, Graph, Node } from '../graph/graph.ts'
import { addConstant, rebuild } from '../graph/rewrite.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'
import { boundsOf } from './grid.ts'

/** A layer's constants: `planned` by the plan, `improved` by a trial. All before the bounds of a fused activation. */
export type ShadowRole = 'float' | 'planned' | 'improved'

/** Real weights and biases in ONNX order. */
export interface ShadowWeights {
  readonly role: Exclude<ShadowRole, 'float'>
  readonly weights: Float64Array
  readonly bias: Float64Array
}

export interface ShadowGraph {
  readonly graph: Graph
  /** What each shadow's output is, by its name. A layer's `float` comes first, then its shadows, then anything else. */
  readonly roles: ReadonlyMap<string, { readonly layer: string; readonly role: ShadowRole }>
}

/** Adds shadows to a fused graph; `shadowsOf` gives those of a node with constant weights. */
export function addShadows(graph: Graph, shadowsOf: (node: Node) => readonly ShadowWeights[]): ShadowGraph {
  const constants = new Map<string, Constant>(graph.constants)
  const roles = new Map<string, { layer: string; role: ShadowRole }>()
  const taken = new Set([...graph.values.keys(), ...graph.nodes.map(({ name }) => name)])
  const fresh = (base: string): string => {
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base}.${i}`
    taken.add(name)
    return name
  }
  const constant = (base: string, shape: readonly number[], values: ArrayLike<number>): string =>
    addConstant(graph, constants, fresh(base), makeConstant('float32', shape, values))

  const nodes = graph.nodes.flatMap((node): Node[] => {
    const shadows = shadowsOf(node)
    if (shadows.length === 0) return [node]
    const [layer] = node.outputs
    const { low, high } = boundsOf(node)
    const bounded = low > -Infinity || high < Infinity
    const attributes = new Map<string, AttributeValue>(
      [...node.attributes].filter(([name]) => name !== 'low' && name !== 'high'),
    )
    const float = bounded ? fresh(`${layer}:float`) : layer
    roles.set(float, { layer, role: 'float' })
    const shape = graph.constants.get(node.inputs[1])?.shape ?? []
    const copies = shadows.map(({ role, weights, bias }): Node => {
      const output = fresh(`${layer}:${role}`)
      roles.set(output, { layer, role })
      const inputs = [
        node.inputs[0],
        constant(`${layer}:${role}:weights`, shape, weights),
        constant(`${layer}:${role}:bias`, [bias.length], bias),
        ...node.inputs.slice(3),
      ]
      return { ...node, name: fresh(`${node.name}:${role}`), inputs, outputs: [output], attributes }
    })
    if (!bounded) return [node, ...copies]
    const limits = [constant(`${layer}:low`, [], [low]), constant(`${layer}:high`, [], [high])]
    const clip: Node = {
      name: fresh(`${node.name}:clip`),
      operator: 'Clip',
      inputs: [float, ...limits],
      outputs: [layer],
      attributes: new Map(),
    }
    return [{ ...node, outputs: [float], attributes }, ...copies, clip]
  })
  return { graph: rebuild(graph, { nodes, constants }), roles }
}
