/**
 * The state while a graph becomes a list of steps: which value lives in which buffer, which constants are packed, which
 * steps each node runs. Lowerings call it; nothing here knows an operator.
 *
 * Every float value is stored in the executor's memory: of rank 4 as a map of channels or as a matrix, or both, where its
 * readers differ; of rank 2 as what is both; of any other rank as a matrix. Other values are tensors on the JavaScript heap.
 */
import type { Graph, Node } from '../../graph/graph.ts'
import { readConstant, type Tensor } from '../../graph/tensor.ts'
import type { Buffer } from './buffers.ts'
import { copy, type Kernels } from './kernels.ts'
import {
  extents,
  type Four,
  type Layout,
  laneCount,
  laneStrides,
  layoutOf,
  matrixLayoutOf,
  matrixStrides,
} from './layout.ts'

/** A value in memory. */
export interface Stored {
  readonly layout: Layout
  readonly buffer: Buffer
  /** Whether it lies as a matrix instead of a map of channels. */
  readonly matrix: boolean
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

/** Tries to express a node by kernels; false when it cannot, before it made any output. */
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
  readonly #maps = new Map<string, Stored>()
  readonly #matrices = new Map<string, Stored>()
  /** Values that were put into a buffer; some may have moved on. */
  readonly #holders = new Map<Buffer, Set<string>>()
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

  /**
   * The value as a map of channels: rank 2 or 4, brought into that form where it only lies as a matrix. `undefined` when
   * it has another rank, is no float or is omitted. Float constants are packed on demand.
   */
  stored(name: string | undefined): Stored | undefined {
    if (name === undefined || name === '') return undefined
    return this.#maps.get(name) ?? this.#brought(name, false)
  }

  /** The value as a matrix, as {@link stored}, but of any rank. */
  matrix(name: string | undefined): Stored | undefined {
    if (name === undefined || name === '') return undefined
    return this.#matrices.get(name) ?? this.#brought(name, true)
  }

  /** The value as it lies in memory, a map of channels before a matrix; constants as maps where they can be. */
  view(name: string | undefined): Stored | undefined {
    if (name === undefined || name === '') return undefined
    const known = this.#maps.get(name) ?? this.#matrices.get(name)
    if (known || !this.graph.constants.has(name)) return known
    return this.stored(name) ?? this.matrix(name)
  }

  #brought(name: string, matrix: boolean): Stored | undefined {
    const value = this.graph.values.get(name)
    const layout = matrix ? matrixLayoutOf(value) : layoutOf(value)
    if (value === undefined || layout === undefined) return undefined
    const values = this.floats(name)
    if (values) return this.#keep(name, { layout, buffer: this.constant(packLanes(values, layout)), matrix })
    const other = (matrix ? this.#maps : this.#matrices).get(name)
    if (other === undefined || value.shape.length !== 4) return undefined
    const rows = matrixStrides(value.shape, matrix ? layout : other.layout) as unknown as Four
    const map = matrix ? other.layout : layout
    const [from, to] = matrix ? [laneStrides(map), rows] : [rows, laneStrides(map)]
    const result = matrix ? this.defineMatrix(name, layout) : this.define(name, layout)
    this.emit(({ kernels }) => copy(kernels, extents(map), other.buffer.address, from, result.buffer.address, to))
    return result
  }

  /** The layout an output of the current node will have, if memory can hold it. */
  layout(name: string): Layout | undefined {
    return layoutOf(this.graph.values.get(name))
  }

  /** The layout of a value as a matrix, if memory can hold it. */
  matrixLayout(name: string): Layout | undefined {
    return matrixLayoutOf(this.graph.values.get(name))
  }

  /** Shape of a value; empty for an unknown one. */
  shape(name: string): readonly number[] {
    return this.graph.values.get(name)?.shape ?? []
  }

  /** A new buffer for an output of the current node, a map of channels. */
  define(name: string, layout: Layout): Stored {
    return this.#keep(name, { layout, buffer: this.#allocate(laneCount(layout) * 4, this.#last(name)), matrix: false })
  }

  /** A new buffer for an output of the current node, a matrix. */
  defineMatrix(name: string, layout: Layout): Stored {
    return this.#keep(name, { layout, buffer: this.#allocate(laneCount(layout) * 4, this.#last(name)), matrix: true })
  }

  /** A new buffer for an output of the current node that lies as `like` does. */
  defineLike(name: string, { layout, matrix }: Stored): Stored {
    return matrix ? this.defineMatrix(name, layout) : this.define(name, layout)
  }

  /** Like {@link defineLike}, but in `input`'s own buffer when nobody needs `input` afterwards. */
  defineOver(name: string, input: Stored): Stored {
    if (input.buffer.last !== this.#index) return this.defineLike(name, input)
    return this.alias(name, input)
  }

  /** Lets an output of the current node be the same memory as `stored`. */
  alias(name: string, stored: Stored): Stored {
    stored.buffer.last = Math.max(stored.buffer.last, this.#last(name))
    return this.#keep(name, stored)
  }

  #keep(name: string, stored: Stored): Stored {
    const [own, other] = stored.matrix ? [this.#matrices, this.#maps] : [this.#maps, this.#matrices]
    own.set(name, stored)
    const holders = this.#holders.get(stored.buffer)
    if (holders === undefined) this.#holders.set(stored.buffer, new Set([name]))
    else holders.add(name)
    // A flattened map that stayed a map is no matrix.
    const { h, w } = stored.layout
    if (this.shape(name).length === 2 && h === 1 && w === 1) other.set(name, { ...stored, matrix: !stored.matrix })
    return stored
  }

  /** As {@link view}, in memory that is no other value's: a copy is made where it shares a buffer, as a reshape does. */
  detached(name: string): Stored | undefined {
    const stored = this.view(name)
    if (stored === undefined) return undefined
    const { buffer } = stored
    const shared = [...(this.#holders.get(buffer) ?? [])].some(
      (other) =>
        other !== name &&
        [this.#maps, this.#matrices].some((values) => values.get(other)?.buffer === buffer) &&
        this.#last(other) > this.#index,
    )
    if (!shared) return stored
    this.#maps.delete(name)
    this.#matrices.delete(name)
    const own = this.defineLike(name, stored)
    const count = laneCount(stored.layout)
    this.emit(({ floats }) => {
      const from = buffer.address / 4
      floats.copyWithin(own.buffer.address / 4, from, from + count)
    })
    return own
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
