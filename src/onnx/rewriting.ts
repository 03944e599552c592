/**
 * What the rewriting of quantised operators writes: DequantizeLinear, float operators and QuantizeLinear in the newest
 * operator set, under free names, with the file's own numbers.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { type Constant, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { Surroundings } from './replace-node.ts'

type Attributes = Readonly<Record<string, AttributeValue>>

/** The nodes that replace one node, while they are made. */
export class Rewriting {
  readonly node: Node
  readonly nodes: Node[] = []
  readonly #around: Surroundings

  constructor(node: Node, around: Surroundings) {
    this.node = node
    this.#around = around
  }

  /** A value of the replaced node's inputs; the empty string where it is omitted. */
  input(index: number): string {
    return this.node.inputs[index] ?? ''
  }

  /** The reals of an input of codes; `axis` is that of several scales. */
  real(index: number, scale: number, zeroPoint: number, axis?: number): string {
    return this.dequantize(this.input(index), this.input(scale), this.input(zeroPoint), axis)
  }

  dequantize(codes: string, scale: string, zeroPoint: string, axis?: number): string {
    if (codes === '' || scale === '') this.refuse('lacks an input that it needs')
    const inputs = zeroPoint === '' ? [codes, scale] : [codes, scale, zeroPoint]
    return this.add('DequantizeLinear', inputs, axis === undefined ? {} : { axis })
  }

  /** Rounds reals to the codes of the node's first output. */
  quantize(real: string, scale: number, zeroPoint: number): Node[] {
    const inputs = [real, this.input(scale), this.input(zeroPoint)]
    if (inputs[1] === '') this.refuse('lacks the scale of its output')
    this.nodes.push({
      name: this.node.name,
      operator: 'QuantizeLinear',
      inputs: inputs[2] === '' ? inputs.slice(0, 2) : inputs,
      outputs: this.node.outputs,
      attributes: new Map(),
    })
    return this.nodes
  }

  /** A node on the way; returns its one output. */
  add(operator: string, inputs: readonly string[], attributes: Attributes | Node['attributes'] = {}): string {
    const output = this.#around.freeName(`${this.node.outputs[0]}.${operator.toLowerCase()}`)
    this.nodes.push({
      name: `${this.node.name}.${output.slice((this.node.outputs[0] as string).length + 1)}`,
      operator,
      inputs,
      outputs: [output],
      attributes: attributes instanceof Map ? attributes : new Map(Object.entries(attributes)),
    })
    return output
  }

  /** The node that gives the replaced node's first output. */
  last(operator: string, inputs: readonly string[], attributes: Attributes | Node['attributes'] = {}): Node[] {
    this.nodes.push({
      name: this.node.name,
      operator,
      inputs,
      outputs: this.node.outputs.slice(0, 1),
      attributes: attributes instanceof Map ? attributes : new Map(Object.entries(attributes)),
    })
    return this.nodes
  }

  /** Gives another output of the replaced node the value of a constant. */
  give(output: string, constant: string): void {
    const name = `${this.node.name}.${output}`
    this.nodes.push({ name, operator: 'Identity', inputs: [constant], outputs: [output], attributes: new Map() })
  }

  constant(part: string, constant: Constant): string {
    return this.#around.addConstant(`${this.node.name}.${part}`, constant)
  }

  /** The constant behind a name, if it is one. */
  known(name: string): Constant | undefined {
    return this.#around.constants.get(name)
  }

  /** The numbers of an input that must be a constant. */
  numbers(index: number, what: string): number[] {
    const constant = this.known(this.input(index))
    if (constant === undefined)
      throw new DyadicError(
        'unsupported',
        `node ${quoted(this.node.name)} (${this.node.operator}) computes its ${what} (input ${index}) at run time; it must be a constant: calibrate the model and store it`,
      )
    return readNumbers(constant)
  }

  /** Integers that stand for units of a product of scales, such as a bias: their reals, exact. */
  realsOfSum(index: number, scales: readonly (readonly number[])[]): string {
    const length = Math.max(...scales.map((list) => list.length))
    const product = Float64Array.from({ length }, (_, o) =>
      scales.reduce((value, list) => value * (list[list.length > 1 ? o : 0] as number), 1),
    )
    const shape = length > 1 ? [length] : []
    const scale = this.constant('bias_scale', makeConstant('float64', shape, product))
    return this.dequantize(this.input(index), scale, '', length > 1 ? 0 : undefined)
  }

  /** Attributes by name, without those that only the replaced operator has. */
  attributesBut(...dropped: readonly string[]): Node['attributes'] {
    return new Map([...this.node.attributes].filter(([name]) => !dropped.includes(name)))
  }

  refuse(reason: string): never {
    throw new DyadicError('refused', `node ${quoted(this.node.name)} (${quoted(this.node.operator)}) ${reason}`)
  }

  unsupported(reason: string): never {
    throw new DyadicError('unsupported', `node ${quoted(this.node.name)} (${quoted(this.node.operator)}) ${reason}`)
  }
}
