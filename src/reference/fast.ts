/**
 * The fast float executor: a graph after `simplify` and `fuse` becomes a list of calls of float32 SIMD kernels over one
 * fixed memory, planned and filled once. It means what the obvious executor (run.ts) means, up to the order and the
 * float32 rounding of sums; NaN inputs of QuantizeLinear give the least integer here, where the obvious one refuses them.
 * Operators without a kernel run by their own definition, slower.
 */
import type { Graph, Value } from '../graph/graph.ts'
import { readConstant, type Tensor } from '../graph/tensor.ts'
import type { FloatExecutor } from './executor.ts'
import { placeBuffers } from './fast/buffers.ts'
import { instantiateKernels } from './fast/kernels.ts'
import { valueCount } from './fast/layout.ts'
import { exportValue, generic, importValue } from './fast/lower-generic.ts'
import { lowerings } from './fast/lowerings.ts'
import { type Machine, Planner, type Stored } from './fast/planner.ts'
import { checkInputs, inputTensor } from './inputs.ts'

/** Address 0 means "none" to the kernels, so nothing may live there. */
const FIRST_ADDRESS = 64

/**
 * Plans and fills the executor's memory. Throws `limit` when the graph needs more than 32-bit memory holds. `run` throws
 * `refused` on missing, unknown or wrongly sized inputs. `tap` sees floats of rank 4 in the order N, H, W, C,
 * also a flattened map that only dense layers read: that one is still the map, and not in ONNX order. All others are
 * row-major. The integers between QuantizeLinear and DequantizeLinear are not seen.
 */
export function createFastExecutor(graph: Graph): FloatExecutor {
  const planner = new Planner(graph)
  const inputs = graph.inputs.map((name) => planInput(planner, name))
  const taps = graph.nodes.map((node, index) => {
    planner.enter(index + 1)
    if (!planner.covered.has(node) && !lowerings.get(node.operator)?.(node, planner)) generic(node, planner)
    // Now: what a reader brings into another form later is not there when the node has run.
    return node.outputs.flatMap((name) => tapOf(planner, name))
  })
  planner.enter(graph.nodes.length + 1)
  const outputs = graph.outputs.map((name) => [name, planOutput(planner, name)] as const)
  const machine = build(planner)
  const { steps } = planner
  return {
    run: (given, tap) => {
      checkInputs(graph, given)
      machine.heap.clear()
      for (const read of inputs) read(machine, given)
      for (let index = 1; index < steps.length; index++) {
        for (const step of steps[index]) step(machine)
        if (tap) for (const report of taps[index - 1] ?? []) report(machine, tap)
      }
      return new Map(outputs.map(([name, read]) => [name, read(machine)]))
    },
  }
}

/** Places everything, makes the memory and fills in the constants. */
function build(planner: Planner): Machine {
  const constants = planner.constants.map(({ buffer }) => buffer)
  const end = placeBuffers([...constants, ...planner.buffers], FIRST_ADDRESS)
  const pages = Math.ceil(end / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const floats = new Float32Array(memory.buffer)
  const integers = new Int32Array(memory.buffer)
  for (const { buffer, data } of planner.constants.splice(0))
    (data instanceof Float32Array ? floats : integers).set(data, buffer.address / 4)
  return { kernels: instantiateKernels(memory), floats, heap: new Map() }
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
