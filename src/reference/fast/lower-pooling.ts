/** Lowerings of pooling and of the reductions that are pooling. */
import { poolingWindow } from '../../graph/operators/pooling.ts'
import { reducedAxes } from '../../graph/operators/reduce.ts'
import { attributeOr, constantInput } from './attributes.ts'
import type { Lowering, Planner, Stored } from './planner.ts'
import { planarWindow, type Window, wholeWindow } from './window.ts'

type Kind = 'maxPool' | 'averagePool'

function emitPooling(
  planner: Planner,
  kind: Kind,
  input: Stored,
  output: Stored,
  window: Window,
  padded: boolean,
): void {
  const { n, h, w, lanes } = input.layout
  const { layout } = output
  const [top, left, bottom, right] = window.pads
  const geometry = [layout.h, layout.w, ...window.kernel, ...window.strides, ...window.dilations, top, left]
  const extra = kind === 'averagePool' ? [bottom, right, padded ? 1 : 0] : []
  planner.emit(({ kernels }) => {
    for (let sample = 0; sample < n; sample++) {
      const source = input.buffer.address + sample * h * w * lanes * 4
      const target = output.buffer.address + sample * layout.h * layout.w * lanes * 4
      kernels[kind](source, h, w, lanes, target, ...geometry, ...extra)
    }
  })
}

/** `MaxPool` (without indices) and `AveragePool`. */
export function pooling(kind: Kind): Lowering {
  return (node, planner) => {
    if (node.outputs.length > 1) return false
    const input = planner.stored(node.inputs[0])
    const layout = planner.layout(node.outputs[0])
    const window = planarWindow(poolingWindow(node.name, node.attributes, planner.shape(node.inputs[0])))
    if (!input || !layout || !window) return false
    const output = planner.define(node.outputs[0], layout)
    emitPooling(planner, kind, input, output, window, attributeOr(node, 'count_include_pad', 0) !== 0)
    return true
  }
}

/** `GlobalMaxPool` and `GlobalAveragePool`. */
export function globalPooling(kind: Kind): Lowering {
  return (node, planner) => {
    const input = planner.stored(node.inputs[0])
    const layout = planner.layout(node.outputs[0])
    if (!input || !layout) return false
    emitPooling(planner, kind, input, planner.define(node.outputs[0], layout), wholeWindow(input.layout), false)
    return true
  }
}

/** `ReduceMax` and `ReduceMean` over height and width. */
export function reduction(kind: Kind): Lowering {
  const whole = globalPooling(kind)
  return (node, planner) => {
    const axes = constantInput(planner.graph, node, 1, [])
    if (!axes || planner.shape(node.inputs[0]).length !== 4) return false
    const reduced = [...reducedAxes(node.name, node.attributes, 4, axes)].sort()
    return String(reduced) === '2,3' && whole(node, planner)
  }
}
