/**
 * LSTM and GRU over a known number of steps as products, gates and sums, one step after the other: what the integer side
 * computes with. The product with the inputs is one for all steps; the one with the hidden state takes it as an addend, so that
 * a gate's sum is rounded once. A state of zeros takes no part. Equal to the operators (src/graph/operators/recurrent.ts) up
 * to float32 rounding. Source of the equations: onnx/docs/Operators.md, LSTM and GRU.
 */
import { DyadicError, quoted } from '../../error.ts'
import type { AttributeValue, Graph, Node } from '../graph.ts'
import { addConstant, freeName, type MutableConstants, rebuild } from '../rewrite.ts'
import { type Constant, makeConstant, readNumbers } from '../tensor.ts'
import { defaultWorkLimits } from '../work-limits.ts'

/** Nodes of one step, at most. */
const NODES_PER_STEP = 16

/** Functions that have an operator of their own, by their lower-case names. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['sigmoid', 'Sigmoid'],
  ['tanh', 'Tanh'],
  ['relu', 'Relu'],
])

/**
 * The graph with every LSTM and GRU unrolled that {@link unrollProblem} has nothing against. Throws `limit` where that would
 * make more nodes than `mostNodes`.
 */
export function unrollRecurrent(graph: Graph, mostNodes: number = defaultWorkLimits.preparedNodes): Graph {
  const chosen = graph.nodes.filter((node) => isRecurrent(node) && unrollProblem(graph, node) === undefined)
  if (chosen.length === 0) return graph
  let count = graph.nodes.length
  for (const node of chosen) {
    const { steps, directions } = sizesOf(graph, node)
    count += steps * directions * NODES_PER_STEP
    if (count > mostNodes)
      throw new DyadicError(
        'limit',
        `node ${quoted(node.name)} (${node.operator}) has ${steps} steps; unrolled, the graph would have more than ${mostNodes} nodes (limit "preparedNodes"): feed shorter sequences and carry the state`,
      )
  }
  const writer = new Writer(graph)
  const nodes = graph.nodes.flatMap((node) => {
    if (!chosen.includes(node)) return [node]
    unroll(writer, node)
    return writer.take()
  })
  return rebuild(graph, { nodes, constants: writer.constants })
}

/** Why a recurrent node cannot be unrolled; undefined where it can. */
export function unrollProblem(graph: Graph, node: Node): string | undefined {
  const { attributes, inputs, operator } = node
  for (const index of [1, 2, 3]) {
    const name = inputs[index] ?? ''
    if (name !== '' && !graph.constants.has(name)) return 'its weights are computed'
  }
  if (attributes.get('clip') !== undefined) return 'attribute "clip" has no integer form'
  if (inputs[7]) return 'peepholes (input 7) have no integer form'
  if (Number(attributes.get('input_forget') ?? 0) !== 0)
    return 'coupled gates (attribute "input_forget") have no integer form'
  const unknown = functionNames(node).find((name) => !FUNCTIONS.has(name.toLowerCase()))
  if (unknown !== undefined) return `activation "${unknown.slice(0, 40)}" has no integer form in ${operator}`
  return undefined
}

/** Whether a node is of the recurrent operators. */
export function isRecurrent({ operator }: Node): boolean {
  return operator === 'LSTM' || operator === 'GRU'
}

/** Names of the functions, for each direction in turn. */
function functionNames({ operator, attributes }: Node): string[] {
  const defaults = operator === 'LSTM' ? ['Sigmoid', 'Tanh', 'Tanh'] : ['Sigmoid', 'Tanh']
  const given = attributes.get('activations') as string | undefined
  return given === undefined ? [...defaults, ...defaults] : given.split(',')
}

interface Sizes {
  readonly steps: number
  readonly batch: number
  readonly inputs: number
  readonly units: number
  readonly directions: number
  readonly batchFirst: boolean
}

function sizesOf(graph: Graph, { inputs, attributes }: Node): Sizes {
  const [x, , r] = inputs.map((name) => graph.values.get(name)?.shape ?? [])
  const batchFirst = Number(attributes.get('layout') ?? 0) !== 0
  const [steps, batch] = batchFirst ? [x[1], x[0]] : x
  return { steps, batch, inputs: x[2], units: r[2], directions: r[0], batchFirst }
}

/** Collects nodes; values and constants get names that nothing else has. */
class Writer {
  readonly graph: Graph
  readonly constants: MutableConstants
  readonly #values: Set<string>
  readonly #names: Set<string>
  #nodes: Node[] = []

  constructor(graph: Graph) {
    this.graph = graph
    this.constants = new Map(graph.constants)
    this.#values = new Set(graph.values.keys())
    this.#names = new Set(graph.nodes.map(({ name }) => name))
  }

  /** The nodes since the last call. */
  take(): Node[] {
    const nodes = this.#nodes
    this.#nodes = []
    return nodes
  }

  /** One node; `output` is a base for names unless it is a value that the graph has already. */
  node(operator: string, inputs: string[], output: string, attributes: Record<string, AttributeValue> = {}): string {
    return this.nodes(operator, inputs, [output], attributes)[0]
  }

  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
  ): string[] {
    const names = outputs.map((output) => freeName(output, this.#values))
    const name = freeName(names[0], this.#names)
    this.#nodes.push({ name, operator, inputs, outputs: names, attributes: new Map(Object.entries(attributes)) })
    return names
  }

  /** A value of the original graph under its own name, from one that was made here. */
  rename(from: string, to: string): void {
    this.#nodes.push({
      name: freeName(to, this.#names),
      operator: 'Identity',
      inputs: [from],
      outputs: [to],
      attributes: new Map(),
    })
  }

  constant(base: string, constant: Constant): string {
    const name = addConstant(this.graph, this.constants, base, constant)
    this.#values.add(name)
    return name
  }

  list(base: string, values: readonly number[]): string {
    return this.constant(base, makeConstant('int64', [values.length], values))
  }

  reshape(input: string, shape: readonly number[], output: string): string {
    return this.node('Reshape', [input, this.list(`${output}:shape`, shape)], output, { allowzero: 0 })
  }

  /** Parts of the last axis, or of axis `axis`, with the given sizes. */
  split(input: string, sizes: readonly number[], axis: number, output: string): string[] {
    if (sizes.length === 1) return [input]
    const names = sizes.map((_, index) => `${output}.${index}`)
    return this.nodes('Split', [input, this.list(`${output}:sizes`, sizes)], names, { axis })
  }
}

/** What the steps of one direction share. H units, G gates. */
interface Direction {
  readonly name: string
  readonly sizes: Sizes
  /** Operators of the functions. */
  readonly functions: readonly string[]
  /** Rows `first` to `last` of R as a constant [rows, H]. */
  recurrence(first: number, last: number): string
  /** The recurrence's bias of the last gate; used where a GRU multiplies behind it. */
  readonly lastBias: readonly number[] | undefined
  readonly linearFirst: boolean
}

/** A state's value: undefined while it is zero. */
type State = string | undefined

/** Writes the nodes that stand for a recurrent node. */
function unroll(writer: Writer, node: Node): void {
  const { graph } = writer
  const sizes = sizesOf(graph, node)
  const { steps, batch, inputs, units, directions, batchFirst } = sizes
  const gates = node.operator === 'LSTM' ? 4 : 3
  const [base] = node.outputs.filter((name) => name !== '')
  const names = functionNames(node)
  const perDirection = node.operator === 'LSTM' ? 3 : 2
  const linearFirst = Number(node.attributes.get('linear_before_reset') ?? 0) !== 0
  const rows = writer.reshape(node.inputs[0], [steps * batch, inputs], `${base}:rows`)
  const hidden: string[][] = []
  const last: string[][] = node.operator === 'LSTM' ? [[], []] : [[]]
  for (let d = 0; d < directions; d++) {
    const name = directions > 1 ? `${base}:direction${d}` : base
    const part = (index: number, width: number): ArrayLike<number> => {
      const values = readNumbers(graph.constants.get(node.inputs[index]) as Constant)
      return values.slice(d * gates * units * width, (d + 1) * gates * units * width)
    }
    const biases = node.inputs[3] ? part(3, 2) : new Float32Array(2 * gates * units)
    const recurrence = Float32Array.from(part(2, units))
    const known = new Map<number, string>()
    const direction: Direction = {
      name,
      sizes,
      functions: names
        .slice(d * perDirection, (d + 1) * perDirection)
        .map((function_) => FUNCTIONS.get(function_.toLowerCase()) as string),
      recurrence(first, end) {
        const key = first * gates * units + end
        const found = known.get(key)
        if (found !== undefined) return found
        const values = recurrence.subarray(first * units, end * units)
        const made = writer.constant(`${name}:R`, makeConstant('float32', [end - first, units], values))
        known.set(key, made)
        return made
      },
      lastBias: linearFirst ? Array.from(biases).slice((2 * gates - 1) * units) : undefined,
      linearFirst,
    }
    const bias = Float64Array.from({ length: gates * units }, (_, row) => {
      const behind = linearFirst && row >= (gates - 1) * units
      return biases[row] + (behind ? 0 : biases[gates * units + row])
    })
    const weights = writer.constant(
      `${name}:W`,
      makeConstant('float32', [gates * units, inputs], Array.from(part(1, inputs))),
    )
    const biasName = writer.constant(`${name}:B`, makeConstant('float32', [gates * units], bias))
    const product = writer.node('Gemm', [rows, weights, biasName], `${name}:inputs`, { transB: 1 })
    const time = batchFirst ? 1 : 0
    const sums =
      steps === 1
        ? [product]
        : writer
            .split(
              writer.reshape(
                product,
                batchFirst ? [batch, steps, gates * units] : [steps, batch, gates * units],
                `${name}:steps`,
              ),
              new Array<number>(steps).fill(1),
              time,
              `${name}:step`,
            )
            .map((sum, t) => writer.reshape(sum, [batch, gates * units], `${name}:sum${t}`))
    const initial = (index: number): State => {
      const value = node.inputs[index] ?? ''
      const constant = graph.constants.get(value)
      if (value === '' || (constant !== undefined && readNumbers(constant).every((number) => number === 0)))
        return undefined
      const own =
        directions > 1
          ? writer.split(value, new Array<number>(directions).fill(1), batchFirst ? 1 : 0, `${name}:initial${index}`)[d]
          : value
      return writer.reshape(own, [batch, units], `${name}:initial${index}:rows`)
    }
    const backwards = d === 1 || node.attributes.get('direction') === 'reverse'
    const found = new Array<string>(steps)
    let h = initial(5)
    let c = node.operator === 'LSTM' ? initial(6) : undefined
    for (let step = 0; step < steps; step++) {
      const t = backwards ? steps - 1 - step : step
      const at = steps > 1 ? `${name}:${t}` : name
      if (node.operator === 'LSTM') [h, c] = stepLstm(writer, direction, sums[t], h, c, at)
      else h = stepGru(writer, direction, sums[t], h, at)
      found[t] = h
    }
    hidden.push(found)
    last[0].push(h as string)
    if (c !== undefined) last[1].push(c)
  }
  writeOutputs(writer, node, sizes, hidden, last)
}

/** Gates i, o, f, c. */
function stepLstm(
  writer: Writer,
  { sizes: { units }, functions: [gate, candidate, output], recurrence }: Direction,
  fromInput: string,
  h: State,
  c: State,
  at: string,
): [h: string, c: string] {
  const sum =
    h === undefined
      ? fromInput
      : writer.node(
          'Add',
          [fromInput, writer.node('Gemm', [h, recurrence(0, 4 * units)], `${at}:recurrent`, { transB: 1 })],
          `${at}:gates`,
        )
  const [i, o, f, g] = writer.split(sum, new Array<number>(4).fill(units), -1, `${at}:gate`)
  const input = writer.node(gate, [i], `${at}:i`)
  const fresh = writer.node('Mul', [input, writer.node(candidate, [g], `${at}:g`)], `${at}:new`)
  const cell =
    c === undefined
      ? fresh
      : writer.node('Add', [writer.node('Mul', [writer.node(gate, [f], `${at}:f`), c], `${at}:kept`), fresh], `${at}:c`)
  const shown = writer.node(output, [cell], `${at}:shown`)
  return [writer.node('Mul', [writer.node(gate, [o], `${at}:o`), shown], `${at}:h`), cell]
}

/** Gates z, r, h; the new state (1 − z) · n + z · h as n + z · (h − n). */
function stepGru(
  writer: Writer,
  { sizes: { units }, functions: [gate, candidate], recurrence, lastBias, linearFirst }: Direction,
  fromInput: string,
  h: State,
  at: string,
): string {
  const [inputGates, inputCandidate] = writer.split(fromInput, [2 * units, units], -1, `${at}:input`)
  const product = (state: string, first: number, end: number, name: string): string =>
    writer.node('Gemm', [state, recurrence(first, end)], `${at}:${name}`, { transB: 1 })
  const sum =
    h === undefined
      ? inputGates
      : writer.node('Add', [inputGates, product(h, 0, 2 * units, 'recurrent')], `${at}:gates`)
  const [z, r] = writer.split(sum, [units, units], -1, `${at}:gate`)
  const update = writer.node(gate, [z], `${at}:z`)
  const reset = (): string => writer.node(gate, [r], `${at}:r`)
  let candidateSum = inputCandidate
  if (linearFirst) {
    const bias = writer.constant(`${at}:Rb`, makeConstant('float32', [units], lastBias ?? []))
    const behind =
      h === undefined
        ? bias
        : writer.node('Gemm', [h, recurrence(2 * units, 3 * units), bias], `${at}:linear`, { transB: 1 })
    candidateSum = writer.node(
      'Add',
      [inputCandidate, writer.node('Mul', [reset(), behind], `${at}:reset`)],
      `${at}:sum`,
    )
  } else if (h !== undefined) {
    const kept = writer.node('Mul', [reset(), h], `${at}:reset`)
    candidateSum = writer.node('Add', [inputCandidate, product(kept, 2 * units, 3 * units, 'linear')], `${at}:sum`)
  }
  const n = writer.node(candidate, [candidateSum], `${at}:n`)
  if (h === undefined) return writer.node('Sub', [n, writer.node('Mul', [update, n], `${at}:less`)], `${at}:h`)
  const change = writer.node('Mul', [update, writer.node('Sub', [h, n], `${at}:difference`)], `${at}:change`)
  return writer.node('Add', [n, change], `${at}:h`)
}

/** Y from all steps of all directions, Y_h and Y_c from the last ones. */
function writeOutputs(
  writer: Writer,
  { outputs }: Node,
  { batch, units, batchFirst }: Sizes,
  hidden: readonly (readonly string[])[],
  last: readonly (readonly string[])[],
): void {
  const join = (parts: readonly string[], axis: number, name: string): string =>
    parts.length === 1 ? parts[0] : writer.node('Concat', [...parts], name, { axis })
  const [all] = outputs
  if (all) {
    const shape = batchFirst ? [batch, 1, 1, units] : [1, 1, batch, units]
    const directions = hidden.map((values, d) =>
      join(
        values.map((value, t) => writer.reshape(value, shape, `${all}:${d}.${t}`)),
        batchFirst ? 1 : 0,
        `${all}:${d}`,
      ),
    )
    writer.rename(join(directions, batchFirst ? 2 : 1, `${all}:all`), all)
  }
  last.forEach((values, index) => {
    const name = outputs[index + 1]
    if (!name) return
    const shape = batchFirst ? [batch, 1, units] : [1, batch, units]
    const parts = values.map((value, d) => writer.reshape(value, shape, `${name}:${d}`))
    writer.rename(join(parts, batchFirst ? 1 : 0, `${name}:all`), name)
  })
}
