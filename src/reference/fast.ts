/**
 * The fast float executor: a graph after `simplify` and `fuse` becomes a list of calls of float32 SIMD kernels over one
 * fixed memory, planned and filled once. It means what the obvious executor (run.ts) means, up to the order and the
 * float32 rounding of sums; NaN inputs of QuantizeLinear give the least integer here, where the obvious one refuses them.
 * Operators without a kernel run by their own definition, slower.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import type { Operator } from '../graph/operator.ts'
import { readConstant, type Tensor } from '../graph/tensor.ts'
import { createSimulation } from '../kernels/simulation.ts'
import { type ProductRule, productKernels } from '../kernels/simulation-products.ts'
import type { FloatExecutor } from './executor.ts'
import { placeBuffers } from './fast/buffers.ts'
import { instantiateKernels } from './fast/kernels.ts'
import { laneCount, valueCount } from './fast/layout.ts'
import { evaluateBy, exportValue, generic, importValue } from './fast/lower-generic.ts'
import { lowerings } from './fast/lowerings.ts'
import { type Machine, Planner, type Stored } from './fast/planner.ts'
import { checkInputs, inputTensor } from './inputs.ts'

/** Address 0 means "none" to the kernels, so nothing may live there. */
const FIRST_ADDRESS = 64

/**
 * Writes over a stored value: rows of `lanes` floats (pixels, or positions), of which the first `channels` are the value's
 * own. What is written behind them reaches no other value, but must be finite.
 */
export type Transform = (values: Float32Array, channels: number, lanes: number) => void

/** Another arithmetic than float32 in the same network. */
export interface FastExecutorOptions {
  /** By the name of a graph input or of a node's output: what happens to the value as soon as it is computed. */
  readonly transforms?: ReadonlyMap<string, Transform>
  /** By the name of a node's first output: what it computes instead of its own meaning, on tensors in ONNX layout. */
  readonly evaluations?: ReadonlyMap<string, Operator['evaluate']>
  /**
   * By the name of a node's first output: how it multiplies and adds up. Only for convolutions and dense layers with constant
   * weights, of up to two spatial axes, and for products of two matrices of rank 2 and more, computed or constant.
   */
  readonly products?: ReadonlyMap<string, ProductRule>
}

/**
 * Plans and fills the executor's memory. Throws `limit` when the graph needs more than 32-bit memory holds. `run` throws
 * `refused` on missing, unknown or wrongly sized inputs. `tap` sees floats of rank 4 in the order N, H, W, C,
 * also a flattened map that only dense layers read: that one is still the map, and not in ONNX order. All others are
 * row-major. The integers between QuantizeLinear and DequantizeLinear are not seen. Throws `refused` for a name in
 * `options` that is no value of the graph.
 */
export function createFastExecutor(graph: Graph, options: FastExecutorOptions = {}): FloatExecutor {
  checkNames(graph, options)
  const planner = new Planner(graph)
  const inputs = graph.inputs.map((name) => planInput(planner, name))
  for (const name of graph.inputs) emitTransform(planner, name, options)
  const taps = graph.nodes.map((node, index) => {
    planner.enter(index + 1)
    if (!planner.covered.has(node)) emitNode(planner, node, options)
    for (const name of node.outputs) emitTransform(planner, name, options)
    // Now: what a reader brings into another form later is not there when the node has run.
    return node.outputs.flatMap((name) => tapOf(planner, name))
  })
  planner.enter(graph.nodes.length + 1)
  const outputs = graph.outputs.map((name) => [name, planOutput(planner, name)] as const)
  const { machine, byRule } = build(planner, new Set(options.products?.values()))
  const { steps } = planner
  const machines = graph.nodes.map(({ outputs: [name] }) => {
    const rule = options.products?.get(name as string)
    return (rule && byRule.get(rule)) ?? machine
  })
  return {
    run: (given, tap) => {
      checkInputs(graph, given)
      machine.heap.clear()
      for (const read of inputs) read(machine, given)
      for (let index = 0; index < steps.length; index++) {
        const used = machines[index - 1] ?? machine
        for (const step of steps[index]) step(used)
        if (tap && index > 0) for (const report of taps[index - 1] ?? []) report(machine, tap)
      }
      return new Map(outputs.map(([name, read]) => [name, read(machine)]))
    },
  }
}

/** Operators whose kernels have a twin for every product rule. */
const WITH_PRODUCTS = new Set(['Conv', 'MatMul', 'dyadic.Conv', 'dyadic.Dense', 'dyadic.MatMul'])

function emitNode(planner: Planner, node: Node, { evaluations, products }: FastExecutorOptions): void {
  const [name = ''] = node.outputs
  const evaluate = evaluations?.get(name)
  if (evaluate) {
    evaluateBy(evaluate)(node, planner)
    return
  }
  const lowered = lowerings.get(node.operator)?.(node, planner) ?? false
  if (products?.has(name) && !(lowered && WITH_PRODUCTS.has(node.operator)))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) has no kernel that multiplies by a rule; convolutions of two axes, dense layers with constant weights and MatMul of matrices have`,
    )
  if (!lowered) generic(node, planner)
}

function emitTransform(planner: Planner, name: string, { transforms }: FastExecutorOptions): void {
  const transform = transforms?.get(name)
  if (!transform) return
  const stored = planner.detached(name)
  planner.emit(({ floats, heap }) => {
    if (stored) {
      const { c, lanes } = stored.layout
      const start = stored.buffer.address / 4
      transform(floats.subarray(start, start + laneCount(stored.layout)), c, lanes)
      return
    }
    const tensor = heap.get(name)
    if (!tensor) return
    const channels = Math.max(1, tensor.shape.at(-1) ?? 1)
    // The array may be that of another value: a reshape shares it.
    const data = singles(tensor.data).slice()
    transform(data, channels, channels)
    heap.set(name, { type: 'float32', shape: tensor.shape, data })
  })
}

/** Bytes that the record of a product rule takes at most, with what keeps records apart. */
const RULE_BYTES = 256

/** Machines of nodes with a rule of their own, and of all others. */
interface Machines {
  readonly machine: Machine
  readonly byRule: ReadonlyMap<ProductRule, Machine>
}

/** Places everything, makes the memory and fills in the constants. */
function build(planner: Planner, rules: ReadonlySet<ProductRule>): Machines {
  const constants = planner.constants.map(({ buffer }) => buffer)
  const end = placeBuffers([...constants, ...planner.buffers], FIRST_ADDRESS)
  const pages = Math.ceil((end + rules.size * RULE_BYTES) / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const floats = new Float32Array(memory.buffer)
  const integers = new Int32Array(memory.buffer)
  for (const { buffer, data } of planner.constants.splice(0))
    (data instanceof Float32Array ? floats : integers).set(data, buffer.address / 4)
  const machine: Machine = { kernels: instantiateKernels(memory), floats, heap: new Map() }
  const byRule = new Map<ProductRule, Machine>()
  if (rules.size > 0) {
    const simulation = createSimulation(memory, end)
    for (const rule of rules)
      byRule.set(rule, { ...machine, kernels: { ...machine.kernels, ...productKernels(simulation, rule) } })
  }
  return { machine, byRule }
}

type ReadInput = (machine: Machine, given: ReadonlyMap<string, ArrayLike<number>>) => void

function planInput(planner: Planner, name: string): ReadInput {
  const map = planner.layout(name)
  const layout = map ?? planner.matrixLayout(name)
  if (layout) {
    const stored = map ? planner.define(name, map) : planner.defineMatrix(name, layout)
    const between = planner.scratch(valueCount(layout))
    return (machine, given) => importValue(machine, given.get(name) as ArrayLike<number>, stored, between)
  }
  const value = planner.graph.values.get(name) as Value
  return (machine, given) => void machine.heap.set(name, inputTensor(value, given.get(name) as ArrayLike<number>))
}

function planOutput(planner: Planner, name: string): (machine: Machine) => Float32Array {
  const constant = planner.graph.constants.get(name)
  if (constant) {
    const data = singles(readConstant(constant))
    return () => data.slice()
  }
  const stored = planner.view(name)
  if (!stored) return ({ heap }) => singles((heap.get(name) as Tensor).data).slice()
  const between = planner.scratch(valueCount(stored.layout))
  return (machine) => exportValue(machine, stored, between)
}

type Report = (machine: Machine, tap: (name: string, values: Float32Array) => void) => void

function tapOf(planner: Planner, name: string): Report[] {
  const stored = name === '' ? undefined : planner.view(name)
  const shape = planner.shape(name)
  if (stored?.matrix && shape.length === 4)
    return [(machine, tap) => tap(name, channelsLast(withoutPadding(machine, stored), shape))]
  if (stored) return [(machine, tap) => tap(name, withoutPadding(machine, stored))]
  return [
    ({ heap }, tap) => {
      const tensor = heap.get(name)
      if (tensor) tap(name, singles(tensor.data))
    },
  ]
}

/** A value's elements in the order N, H, W, C: a view where there are no padding lanes, else a copy. */
function withoutPadding({ floats }: Machine, { layout, buffer }: Stored): Float32Array {
  const { c, lanes } = layout
  const count = valueCount(layout)
  const start = buffer.address / 4
  if (lanes === c) return floats.subarray(start, start + count)
  const values = new Float32Array(count)
  for (let first = 0, from = start; first < count; first += c, from += lanes)
    for (let channel = 0; channel < c; channel++) values[first + channel] = floats[from + channel]
  return values
}

/** Row-major N, C, H, W to N, H, W, C. */
function channelsLast(values: Float32Array, [n, c, h, w]: readonly number[]): Float32Array {
  const result = new Float32Array(values.length)
  let read = 0
  for (let sample = 0; sample < n; sample++)
    for (let channel = 0; channel < c; channel++)
      for (let pixel = 0; pixel < h * w; pixel++) result[(sample * h * w + pixel) * c + channel] = values[read++]
  return result
}

function singles(data: Tensor['data']): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number | bigint>, Number)
}

function checkNames(graph: Graph, { transforms, evaluations, products }: FastExecutorOptions): void {
  const computed = new Set([...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)])
  for (const name of [...(transforms?.keys() ?? []), ...(evaluations?.keys() ?? []), ...(products?.keys() ?? [])])
    if (!computed.has(name)) throw new DyadicError('refused', `the graph computes no value ${quoted(name)}`)
}
