/** Small graphs for tests of passes, and the comparison of what two graphs mean. */
import { expect } from 'vitest'
import { runReference } from '../../reference/run.ts'
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { type Constant, elementCount, makeConstant, type Tensor } from '../tensor.ts'
import { verifyGraph } from '../verify.ts'

/** Collects nodes and constants; numbers come from a small deterministic sequence. */
export class Sketch {
  readonly nodes: Node[] = []
  readonly constants = new Map<string, Constant>()
  readonly inputs: Value[]
  #state: number

  constructor(shape: readonly number[], seed = 1) {
    this.inputs = [{ name: 'x', type: 'float32', shape }]
    this.#state = seed >>> 0
  }

  /** The next number in −1..1. */
  draw(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 2 ** 31 - 1
  }

  constant(name: string, shape: readonly number[], values?: readonly number[], type: Constant['type'] = 'float32') {
    const drawn = values ?? Array.from({ length: elementCount(shape) }, () => this.draw())
    this.constants.set(name, makeConstant(type, shape, drawn))
    return name
  }

  node(operator: string, inputs: string[], output: string, attributes: Record<string, AttributeValue> = {}): string {
    const name = `${output}_node`
    this.nodes.push({ name, operator, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) })
    return output
  }

  normalise(input: string, channels: number, output: string): string {
    const parameters = ['gamma', 'beta', 'mean'].map((role) => this.constant(`${output}.${role}`, [channels]))
    const variance = Array.from({ length: channels }, () => 1.5 + this.draw())
    parameters.push(this.constant(`${output}.variance`, [channels], variance))
    return this.node('BatchNormalization', [input, ...parameters], output)
  }

  graph(...outputs: string[]): Graph {
    return inferGraph({
      name: 'sketch',
      opset: 13,
      inputs: this.inputs,
      outputs,
      nodes: this.nodes,
      constants: this.constants,
    })
  }
}

/** Every output for one input of noise. */
export function run(graph: Graph, seed = 7): Map<string, Tensor> {
  const { shape } = graph.values.get('x') as Value
  const numbers = new Sketch([1], seed)
  const data = Float32Array.from({ length: elementCount(shape) }, () => numbers.draw())
  return runReference(graph, new Map([['x', { type: 'float32', shape, data }]]))
}

/** Outputs agree within 1e-5 of the largest element, in names, order, types and shapes exactly. */
export function expectSameMeaning(before: Graph, after: Graph): void {
  verifyGraph(after, 'test')
  expect(after.outputs).toEqual(before.outputs)
  const [wanted, found] = [run(before), run(after)]
  for (const [name, { type, shape, data }] of wanted) {
    const result = found.get(name) as Tensor
    expect([result.type, result.shape]).toEqual([type, shape])
    const scale = (data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    data.forEach((value, index) => {
      expect(Math.abs(Number(result.data[index]) - Number(value))).toBeLessThanOrEqual(1e-5 * scale)
    })
  }
}

/** Operators in the order of the nodes. */
export const operatorsOf = (graph: Graph) => graph.nodes.map((node) => node.operator)
/** The node that computes a value. */
export const named = (graph: Graph, output: string) => graph.nodes.find((node) => node.outputs[0] === output) as Node
