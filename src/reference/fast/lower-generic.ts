/**
 * The slow path for every node that no kernel covers: its operands become tensors in ONNX layout, the operator's own
 * float meaning runs, and results that memory can hold go back to it.
 */
import type { Value } from '../../graph/graph.ts'
import type { Operator } from '../../graph/operator.ts'
import { operators } from '../../graph/operators/index.ts'
import { readConstant, type Tensor } from '../../graph/tensor.ts'
import type { Buffer } from './buffers.ts'
import { copy } from './kernels.ts'
import { extents, laneStrides, rowMajorStrides, valueCount } from './layout.ts'
import type { Lowering, Machine, Planner, Stored } from './planner.ts'

/** Copies a stored value out of memory, row-major in ONNX layout. `between` holds its elements. */
export function exportValue({ kernels, floats }: Machine, stored: Stored, between: Buffer): Float32Array {
  const { layout, buffer } = stored
  copy(kernels, extents(layout), buffer.address, laneStrides(layout), between.address, rowMajorStrides(layout))
  const start = between.address / 4
  return floats.slice(start, start + valueCount(layout))
}

/** Copies row-major elements into memory. `between` holds them. */
export function importValue(
  { kernels, floats }: Machine,
  values: ArrayLike<number>,
  stored: Stored,
  between: Buffer,
): void {
  const { layout, buffer } = stored
  floats.set(values, between.address / 4)
  copy(kernels, extents(layout), between.address, rowMajorStrides(layout), buffer.address, laneStrides(layout))
}

/** How a step gets one operand. */
type Operand = (machine: Machine) => Tensor | undefined

function operand(planner: Planner, name: string): Operand {
  if (name === '') return () => undefined
  const constant = planner.graph.constants.get(name)
  if (constant) {
    const tensor = { type: constant.type, shape: constant.shape, data: readConstant(constant) }
    return () => tensor
  }
  const stored = planner.view(name)
  if (!stored) return (machine) => machine.heap.get(name)
  const { shape } = planner.graph.values.get(name) as Value
  const between = planner.scratch(valueCount(stored.layout))
  return (machine) => ({ type: 'float32', shape, data: exportValue(machine, stored, between) })
}

/** How a step keeps one result. */
type Keep = (machine: Machine, result: Tensor) => void

function keep(planner: Planner, name: string): Keep {
  const map = planner.layout(name)
  const layout = map ?? planner.matrixLayout(name)
  if (!layout) return (machine, result) => void machine.heap.set(name, result)
  const stored = map ? planner.define(name, map) : planner.defineMatrix(name, layout)
  const between = planner.scratch(valueCount(layout))
  return (machine, result) => importValue(machine, result.data as Float32Array | Float64Array, stored, between)
}

/** Evaluates the node by its definition. */
export const generic: Lowering = (node, planner) =>
  evaluateBy((operators.get(node.operator) as Operator).evaluate)(node, planner)

/** Evaluates the node by a function of tensors. */
export const evaluateBy =
  (evaluate: Operator['evaluate']): Lowering =>
  (node, planner) => {
    const operands = node.inputs.map((name) => operand(planner, name))
    const outputs = node.outputs.filter((name) => name !== '')
    const values = outputs.map((name) => planner.graph.values.get(name) as Value)
    const keeps = node.outputs.map((name) => (name === '' ? undefined : keep(planner, name)))
    planner.emit((machine) => {
      const inputs = operands.map((read) => read(machine))
      const results = evaluate({ node: node.name, inputs, attributes: node.attributes, outputs: values })
      keeps.forEach((store, index) => {
        store?.(machine, results[index])
      })
    })
    return true
  }
