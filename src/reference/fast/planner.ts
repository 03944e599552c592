/**
 * The state while a graph becomes a list of steps: which value lives in which buffer, which constants are packed, which
 * steps each node runs. Lowerings call it; nothing here knows an operator.
 *
 * A float value of rank 2 or 4 is stored in the executor's memory, every other value is a tensor on the JavaScript heap.
 */
import type { Graph, Node } from '../../graph/graph.ts'
import { readConstant, type Tensor } from '../../graph/tensor.ts'
import type { Buffer } from './buffers.ts'
import type { Kernels } from './kernels.ts'
import { type Layout, laneCount, layoutOf } from './layout.ts'

/** A value in memory. */
export interface Stored {
  readonly layout: Layout
  readonly buffer: Buffer
}

/** What a step works on while an inference runs. */
export interface Machine {
  readonly kernels: Kernels
  /** The whole memory. */
  readonly floats: Float32Array
  /** Values that are not stored in memory. */
  readonly heap: Map<string, Tensor>
}

export type Step = (machine: Machine) => void

/** Tries to express a node by kernels; false when it cannot, before it changed anything. */
export type Lowering = (node: Node, planner: Planner) => boolean

/** A packed constant with its bytes. */
interface PackedConstant {
  readonly buffer: Buffer
  readonly data: Float32Array | Int32Array
}

export class Planner {
  readonly graph: Graph
  readonly consumers: ReadonlyMap<string, readonly Node[]>
  /** Buffers that share memory over time, and constants, which do not. */
  readonly buffers: Buffer[] = []
  readonly constants: PackedConstant[] = []
  /** Steps of each node; entry 0 is the import of inputs, entry i + 1 node i, the last entry the export of outputs. */
  readonly steps: Step[][]
  /** Nodes that another node's steps already cover. */
  readonly covered = new Set<Node>()
  readonly #stored = new Map<string, Stored>()
  readonly #packed = new Map<string, Buffer>()
  readonly #lastUse = new Map<string, number>()
  #index = 0

  constructor(graph: Graph) {
    this.graph = graph
    this.steps = Array.from({ length: graph.nodes.length + 2 }, () => [])
    const consumers = new Map<string, Node[]>()
    graph.nodes.forEach((node, index) => {
      for (const name of node.inputs) {
        this.#lastUse.set(name, index + 1)
        const list = consumers.get(name)
        if (list) list.push(node)
        else consumers.set(name, [node])
      }
    })
    this.consumers = consumers
    for (const name of graph.outputs) this.#lastUse.set(name, this.steps.length - 1)
  }

  /** Moves on to the steps of entry `index`. */
  enter(index: number): void {
    this.#index = index
  }

  emit(step: Step): void {
    this.steps[this.#index].push(step)
  }

  /** The value in memory; `undefined` when it is on the heap or omitted. Float constants are packed on demand. */
  stored(name: string | undefined): Stored | undefined {
    if (name === undefined || name === '') return undefined
    const known = this.#stored.get(name)
    if (known) return known
    const layout = layoutOf(this.graph.values.get(name))
    const values = layout && this.floats(name)
    if (!layout || !values) return undefined
    const stored = { layout, buffer: this.constant(packLanes(values, layout)) }
    this.#stored.set(name, stored)
    return stored
  }

  /** The layout an output of the current node will have, if memory can hold it. */
  layout(name: string): Layout | undefined {
    return layoutOf(this.graph.values.get(name))
  }

  /** Shape of a value; empty for an unknown one. */
  shape(name: string): readonly number[] {
    return this.graph.values.get(name)?.shape ?? []
  }

  /** A new buffer for an output of the current node. */
  define(name: string, layout: Layout): Stored {
    const stored = { layout, buffer: this.#allocate(laneCount(layout) * 4, this.#last(name)) }
    this.#stored.set(name, stored)
    return stored
  }

  /** Like {@link define}, but in `input`'s own buffer when nobody needs `input` afterwards. */
  defineOver(name: string, input: Stored): Stored {
    const { layout, buffer } = input
    if (buffer.last !== this.#index) return this.define(name, layout)
    return this.alias(name, input)
  }

  /** Lets an output of the current node be the same memory as `stored`. */
  alias(name: string, stored: Stored): Stored {
    stored.buffer.last = Math.max(stored.buffer.last, this.#last(name))
    this.#stored.set(name, stored)
    return stored
  }

  /** Memory for the current node's steps only. */
  scratch(floats: number): Buffer {
    return this.#allocate(floats * 4, this.#index)
  }

  /** Memory with these contents for the executor's whole life; equal `key`s share one. */
  constant(data: Float32Array | Int32Array, key?: string): Buffer {
    const buffer: Buffer = { bytes: data.byteLength, first: 0, last: Number.POSITIVE_INFINITY, address: 0 }
    this.constants.push({ buffer, data })
    if (key !== undefined) this.#packed.set(key, buffer)
    return buffer
  }

  /** A table of byte offsets, made once per `key`. */
  table(key: string, make: () => Int32Array): Buffer {
    return this.#packed.get(key) ?? this.constant(make(), key)
  }

  /** The numbers of a float constant, rounded to float32; `undefined` when the name is not one. */
  floats(name: string | undefined): Float32Array | undefined {
    const constant = name === undefined ? undefined : this.graph.constants.get(name)
    if (constant?.type !== 'float32' && constant?.type !== 'float64') return undefined
    return Float32Array.from(readConstant(constant) as Float32Array | Float64Array)
  }

  #last(name: string): number {
    return this.#lastUse.get(name) ?? this.#index
  }

  #allocate(bytes: number, last: number): Buffer {
    const buffer: Buffer = { bytes, first: this.#index, last, address: 0 }
    this.buffers.push(buffer)
    return buffer
  }
}

/** Row-major N, C, H, W to the executor's layout, padding lanes 0. */
export function packLanes(values: Float32Array, layout: Layout): Float32Array {
  const { n, h, w, c, lanes } = layout
  const packed = new Float32Array(laneCount(layout))
  for (let sample = 0; sample < n; sample++)
    for (let channel = 0; channel < c; channel++)
      for (let pixel = 0; pixel < h * w; pixel++)
        packed[(sample * h * w + pixel) * lanes + channel] = values[(sample * c + channel) * h * w + pixel]
  return packed
}
