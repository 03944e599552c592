/**
 * Networks as graphs with shapes and without numbers: weights are constants of the right shape and no bytes, which shape rules
 * and counts never read. Every layer is a real node, so output shapes and MACs come from the operators.
 */
import type { AttributeValue, Graph, Node, Value } from '../../src/graph/graph.ts'
import { inferGraph } from '../../src/graph/infer.ts'
import type { Constant } from '../../src/graph/tensor.ts'

export interface ConvolutionOptions {
  readonly stride?: number
  readonly groups?: number
  /** Padding per axis; `same` (the default) is half the kernel. */
  readonly pad?: 'same' | number
  /** What follows or belongs to the convolution (default `norm`: batch normalisation, no bias). */
  readonly affine?: 'norm' | 'bias'
}

export interface BuiltNetwork {
  readonly graph: Graph
  /** Parameters of the network as published: weights, biases, and scale and shift of normalisations. */
  readonly parameters: number
}

export class NetworkBuilder {
  readonly #inputs: Value[] = []
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, Constant>()
  #parameters = 0
  #shapes = new Map<string, readonly number[]>()

  input(...shape: number[]): string {
    const name = `x${this.#inputs.length}`
    this.#inputs.push({ name, type: 'float32', shape })
    this.#shapes.set(name, shape)
    return name
  }

  shape(name: string): readonly number[] {
    return this.#shapes.get(name) as readonly number[]
  }

  /** Parameters that are in no layer: embeddings, positions, layer normalisation. */
  parameters(count: number): void {
    this.#parameters += count
  }

  #constant(shape: readonly number[]): string {
    const name = `w${this.#constants.size}`
    this.#constants.set(name, { type: 'float32', shape, bytes: new Uint8Array() })
    this.#parameters += shape.reduce((product, size) => product * size, 1)
    return name
  }

  #node(
    operator: string,
    inputs: string[],
    attributes: Record<string, AttributeValue>,
    shape: readonly number[],
  ): string {
    const name = `${operator}${this.#nodes.length}`
    this.#nodes.push({ name, operator, inputs, outputs: [name], attributes: new Map(Object.entries(attributes)) })
    this.#shapes.set(name, shape)
    return name
  }

  /** Folded form: weights and one bias per output channel. A normalisation has two parameters per channel, a bias one. */
  convolution(x: string, outputs: number, kernel: number | [number, number], options: ConvolutionOptions = {}): string {
    const { stride = 1, groups = 1, pad = 'same', affine = 'norm' } = options
    const [, channels, ...space] = this.shape(x)
    const sizes = typeof kernel === 'number' ? [kernel, kernel] : kernel
    const pads = sizes.map((size) => (pad === 'same' ? size >> 1 : pad))
    const weights = this.#constant([outputs, channels / groups, ...sizes])
    const bias = this.#constant([outputs])
    if (affine === 'norm') this.#parameters += outputs
    const output = space.map((size, axis) => Math.floor((size + 2 * pads[axis] - sizes[axis]) / stride) + 1)
    return this.#node(
      'Conv',
      [x, weights, bias],
      { strides: [stride, stride], pads: [...pads, ...pads], group: groups },
      [1, outputs, ...output],
    )
  }

  depthwise(x: string, kernel: number, stride = 1, affine: 'norm' | 'bias' = 'norm'): string {
    const channels = this.shape(x)[1]
    return this.convolution(x, channels, kernel, { stride, groups: channels, affine })
  }

  /** Rows (…, inputs) to (…, outputs); an image is flattened. */
  dense(x: string, outputs: number, bias = true): string {
    const shape = this.shape(x)
    const rows = shape.length === 4 ? this.#node('Flatten', [x], {}, [1, shape[1] * shape[2] * shape[3]]) : x
    const [count, inputs] = this.shape(rows)
    const operands = [rows, this.#constant([inputs, outputs])]
    if (bias) operands.push(this.#constant([outputs]))
    return this.#node('Gemm', operands, {}, [count, outputs])
  }

  /** (batch, rows, depth) · (batch, depth, columns) of two computed tensors. */
  product(batch: number, rows: number, depth: number, columns: number): string {
    return this.#node('MatMul', [this.input(batch, rows, depth), this.input(batch, depth, columns)], {}, [
      batch,
      rows,
      columns,
    ])
  }

  maximum(x: string, kernel: number, stride: number, pad = 0, ceil = false): string {
    const [, channels, ...space] = this.shape(x)
    const round = ceil ? Math.ceil : Math.floor
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      ceil_mode: Number(ceil),
    }
    const output = space.map((size) => round((size + 2 * pad - kernel) / stride) + 1)
    return this.#node('MaxPool', [x], attributes, [1, channels, ...output])
  }

  average(x: string): string {
    return this.#node('GlobalAveragePool', [x], {}, [1, this.shape(x)[1], 1, 1])
  }

  concatenate(...parts: string[]): string {
    const [, , ...space] = this.shape(parts[0])
    const channels = parts.reduce((sum, part) => sum + this.shape(part)[1], 0)
    return this.#node('Concat', parts, { axis: 1 }, [1, channels, ...space])
  }

  add(a: string, b: string): string {
    return this.#node('Add', [a, b], {}, this.shape(a))
  }

  multiply(a: string, b: string): string {
    return this.#node('Mul', [a, b], {}, this.shape(a))
  }

  build(name: string): BuiltNetwork {
    const read = new Set(this.#nodes.flatMap(({ inputs }) => inputs))
    const outputs = this.#nodes.map(({ outputs: [output] }) => output).filter((output) => !read.has(output))
    const parts = { name, opset: 21, inputs: this.#inputs, outputs, nodes: this.#nodes, constants: this.#constants }
    return { graph: inferGraph(parts), parameters: this.#parameters }
  }
}
