/**
 * Recurrent layers over T steps of B sequences: LSTM (gates i, o, f, c) and GRU (gates z, r, h), forward, reverse or both.
 * X (T, B, I) or, in layout 1, (B, T, I); D directions; H units. Outputs Y (T, D, B, H), Y_h (D, B, H) and, of an LSTM,
 * Y_c; layout 1 puts B first. All in double, rounded at the outputs. Source: onnx/docs/Operators.md.
 */
import type { AttributeSchema, EvaluateContext, InferContext, InferredValue, Operator } from '../operator.ts'
import { allocate, type ElementType, readNumbers, type Tensor } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, optionalNumber, refuse, unsupported } from './context.ts'
import { recurrentActivations } from './recurrent-activation.ts'

const ATTRIBUTES: Readonly<Record<string, AttributeSchema>> = {
  activation_alpha: { kind: 'floats' },
  activation_beta: { kind: 'floats' },
  activations: { kind: 'string' },
  clip: { kind: 'float' },
  direction: { kind: 'string', default: 'forward' },
  hidden_size: { kind: 'int' },
  layout: { kind: 'int', default: 0 },
}

interface Sizes {
  readonly steps: number
  readonly batch: number
  readonly inputs: number
  readonly units: number
  readonly directions: number
  /** Whether the batch axis comes first. */
  readonly batchFirst: boolean
}

type Shapes = readonly ({ readonly shape: readonly number[] } | undefined)[]

/** Sizes from the shapes of X and R. */
function sizesOf(inputs: Shapes, attributes: InferContext['attributes']): Sizes {
  const [x, , r] = inputs.map((input) => input?.shape ?? [])
  const batchFirst = numberAttribute(attributes, 'layout') !== 0
  const [steps, batch] = batchFirst ? [x[1], x[0]] : x
  return { steps, batch, inputs: x[2], units: r[2], directions: r[0], batchFirst }
}

function stateShape({ directions, batch, units, batchFirst }: Sizes): number[] {
  return batchFirst ? [batch, directions, units] : [directions, batch, units]
}

/** Shape rule for `gates` gates; `states` is 2 where there is a cell beside the hidden state. */
function inferRecurrent(context: InferContext, gates: number, states: number): InferredValue[] {
  const { node, inputs, attributes } = context
  const [x, r] = [operand(context, 0).shape, operand(context, 2).shape]
  const direction = attributes.get('direction') as string
  const wanted = new Map([
    ['forward', 1],
    ['reverse', 1],
    ['bidirectional', 2],
  ]).get(direction)
  if (wanted === undefined) refuse(node, 'its direction is none of forward, reverse and bidirectional')
  if (x.length !== 3 || r.length !== 3) refuse(node, `X of shape [${x}] and R of shape [${r}]; rank 3 is needed`)
  const sizes = sizesOf(inputs, attributes)
  const { steps, batch, units } = sizes
  const size = optionalNumber(attributes, 'hidden_size') ?? units
  const rows = gates * units
  const expected: readonly (readonly number[] | undefined)[] = [
    x,
    [wanted, rows, sizes.inputs],
    [wanted, rows, units],
    [wanted, 2 * rows],
    [batch],
    ...new Array<readonly number[]>(states).fill(stateShape(sizes)),
    [wanted, 3 * units],
  ]
  inputs.forEach((input, index) => {
    if (input !== undefined && String(input.shape) !== String(expected[index]))
      refuse(node, `input ${index} has shape [${input.shape}]; [${expected[index]}] is needed`)
  })
  if (size !== units) refuse(node, `hidden_size is ${size}, but R of shape [${r}] has ${units} units`)
  refuseShortSequences(context, steps)
  recurrentActivations(node, attributes, states === 2 ? LSTM_FUNCTIONS : GRU_FUNCTIONS, wanted)
  const type = floatResult({ ...context, inputs: inputs.map((input, index) => (index === 4 ? undefined : input)) })
  const output = sizes.batchFirst ? [batch, steps, wanted, units] : [steps, wanted, batch, units]
  const state = { type, shape: stateShape(sizes) }
  return [{ type, shape: output }, state, state].slice(0, states + 1)
}

/** `sequence_lens` may only say what the shape of X says. */
function refuseShortSequences(context: InferContext, steps: number): void {
  if (context.inputs[4] === undefined) return
  const lengths = context.constant(4)
  if (lengths === undefined || readNumbers(lengths).some((length) => length !== steps))
    unsupported(context.node, `sequence_lens that are not constant and all ${steps}; remove the input`)
}

interface Layer {
  readonly sizes: Sizes
  readonly weights: ArrayLike<number>
  readonly recurrence: ArrayLike<number>
  readonly bias: ArrayLike<number> | undefined
  readonly functions: ((x: number) => number)[][]
  readonly clip: (x: number) => number
}

function layerOf({ node, inputs, attributes }: EvaluateContext, defaults: readonly string[]): Layer {
  const sizes = sizesOf(inputs, attributes)
  const bound = optionalNumber(attributes, 'clip') ?? Infinity
  return {
    sizes,
    weights: numbersOf(inputs[1], node),
    recurrence: numbersOf(inputs[2], node),
    bias: inputs[3] && numbersOf(inputs[3], node),
    functions: recurrentActivations(node, attributes, defaults, sizes.directions),
    clip: (x) => Math.min(bound, Math.max(-bound, x)),
  }
}

/** One step of one sequence: reads `state` (its parts of H numbers each) and overwrites it. `direction` picks weights. */
type Cell = (layer: Layer, direction: number, x: ArrayLike<number>, xStart: number, state: Float64Array[]) => void

/** Runs a cell over all steps, sequences and directions. `initial` are the state's starting values. */
function runRecurrent(
  context: EvaluateContext,
  layer: Layer,
  cell: Cell,
  initial: readonly (Tensor | undefined)[],
): Tensor[] {
  const { node, inputs, attributes } = context
  const x = numbersOf(inputs[0], node)
  const type: ElementType = inputs[0]!.type
  const { steps, batch, inputs: width, units, directions, batchFirst } = layer.sizes
  const starts = initial.map((tensor) => tensor && numbersOf(tensor, node))
  const y = allocate(type, steps * directions * batch * units)
  const last = initial.map(() => allocate(type, directions * batch * units))
  for (let d = 0; d < directions; d++)
    for (let b = 0; b < batch; b++) {
      const at = (batchFirst ? b * directions + d : d * batch + b) * units
      const state = starts.map((start) =>
        Float64Array.from({ length: units }, (_, i) => (start === undefined ? 0 : start[at + i])),
      )
      const backwards = d === 1 || attributes.get('direction') === 'reverse'
      for (let step = 0; step < steps; step++) {
        const t = backwards ? steps - 1 - step : step
        cell(layer, d, x, (batchFirst ? b * steps + t : t * batch + b) * width, state)
        const row = batchFirst ? (b * steps + t) * directions + d : (t * directions + d) * batch + b
        y.set(state[0] as never, row * units)
      }
      state.forEach((values, index) => void last[index].set(values as never, at))
    }
  const shape = batchFirst ? [batch, steps, directions, units] : [steps, directions, batch, units]
  return [{ type, shape, data: y }, ...last.map((data) => ({ type, shape: stateShape(layer.sizes), data }))]
}

/** Σ W[row]·x of one direction; `gates` gates per unit. */
function inputSum(layer: Layer, direction: number, row: number, gates: number, x: ArrayLike<number>, start: number) {
  const { inputs: width, units } = layer.sizes
  let at = (direction * gates * units + row) * width
  let sum = layer.bias === undefined ? 0 : layer.bias[direction * 2 * gates * units + row]
  for (let i = 0; i < width; i++) sum += layer.weights[at++] * x[start + i]
  return sum
}

/** Σ R[row]·h of one direction, with the recurrence's bias. */
function stateSum(layer: Layer, direction: number, row: number, gates: number, h: ArrayLike<number>): number {
  const { units } = layer.sizes
  let at = (direction * gates * units + row) * units
  let sum = layer.bias === undefined ? 0 : layer.bias[(direction * 2 + 1) * gates * units + row]
  for (let i = 0; i < units; i++) sum += layer.recurrence[at++] * h[i]
  return sum
}

const LSTM_FUNCTIONS = ['Sigmoid', 'Tanh', 'Tanh']
const GRU_FUNCTIONS = ['Sigmoid', 'Tanh']

function macsOf(gates: number): NonNullable<Operator['macs']> {
  return (context) => {
    const { steps, batch, inputs, units, directions } = sizesOf(context.inputs, context.attributes)
    return steps * batch * directions * gates * units * (inputs + units)
  }
}

/** ONNX LSTM. Inputs X, W, R, B?, sequence_lens?, initial_h?, initial_c?, P? (peepholes). */
export const lstm: Operator = {
  name: 'LSTM',
  since: [7, 14, 22],
  inputs: [3, 8],
  outputs: [0, 3],
  attributes: { ...ATTRIBUTES, input_forget: { kind: 'int', flag: true, default: 0 } },
  integer: 'none',
  infer: (context) => inferRecurrent(context, 4, 2),
  evaluate: (context) => {
    const layer = layerOf(context, LSTM_FUNCTIONS)
    const { units } = layer.sizes
    const peepholes = context.inputs[7] && numbersOf(context.inputs[7], context.node)
    const coupled = numberAttribute(context.attributes, 'input_forget') !== 0
    const cell: Cell = (_, d, x, start, state) => {
      const [h, c] = state as [Float64Array, Float64Array]
      const [f, g, k] = layer.functions[d]
      const peep = (gate: number, i: number) => (peepholes ? peepholes[(d * 3 + gate) * units + i] : 0)
      const gate = (index: number, i: number) =>
        inputSum(layer, d, index * units + i, 4, x, start) + stateSum(layer, d, index * units + i, 4, h)
      const next = Float64Array.from({ length: units }, (_unit, i) => {
        const input = f(layer.clip(gate(0, i) + peep(0, i) * c[i]))
        const forget = coupled ? 1 - input : f(layer.clip(gate(2, i) + peep(2, i) * c[i]))
        return forget * c[i] + input * g(layer.clip(gate(3, i)))
      })
      const hidden = next.map((cellValue, i) => f(layer.clip(gate(1, i) + peep(1, i) * cellValue)) * k(cellValue))
      h.set(hidden)
      c.set(next)
    }
    return runRecurrent(context, layer, cell, [context.inputs[5], context.inputs[6]])
  },
  macs: macsOf(4),
}

/** ONNX GRU. Inputs X, W, R, B?, sequence_lens?, initial_h?. */
export const gru: Operator = {
  name: 'GRU',
  since: [7, 14, 22],
  inputs: [3, 6],
  outputs: [0, 2],
  attributes: { ...ATTRIBUTES, linear_before_reset: { kind: 'int', flag: true, default: 0 } },
  integer: 'none',
  infer: (context) => inferRecurrent(context, 3, 1),
  evaluate: (context) => {
    const layer = layerOf(context, GRU_FUNCTIONS)
    const { units } = layer.sizes
    const linearFirst = numberAttribute(context.attributes, 'linear_before_reset') !== 0
    const cell: Cell = (_, d, x, start, state) => {
      const [h] = state as [Float64Array]
      const [f, g] = layer.functions[d]
      const gate = (index: number) =>
        Float64Array.from({ length: units }, (_unit, i) =>
          f(
            layer.clip(
              inputSum(layer, d, index * units + i, 3, x, start) + stateSum(layer, d, index * units + i, 3, h),
            ),
          ),
        )
      const [update, reset] = [gate(0), gate(1)]
      const reduced = linearFirst ? h : h.map((value, i) => value * reset[i])
      const candidate = Float64Array.from({ length: units }, (_unit, i) => {
        const recurrent = stateSum(layer, d, 2 * units + i, 3, reduced)
        const input = inputSum(layer, d, 2 * units + i, 3, x, start)
        return g(layer.clip(input + (linearFirst ? reset[i] * recurrent : recurrent)))
      })
      h.set(candidate.map((value, i) => (1 - update[i]) * value + update[i] * h[i]))
    }
    return runRecurrent(context, layer, cell, [context.inputs[5]])
  },
  macs: macsOf(3),
}
