/** Embeddings (R19): rows of a constant table, which become codes of the output's scale, chosen by computed indices. */
import { DyadicError, quoted } from '../error.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange } from '../quantize/plan.ts'
import { plannedTensor, plannedValue } from './elementwise.ts'
import {
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  storageFormat,
  storedOffset,
} from './quantised-value.ts'
import { assign, defaultAssignment, viewLoops } from './view.ts'

/** `dyadic.Lookup`: table (V, C) and indices of any shape that are a network input. */
export function lowerLookup(context: LoweringContext): QuantisedValue {
  const { node, outputShape } = context
  const target = narrowPlan(context)
  const indices = context.input(1)
  const loops = viewLoops(indices.view)
  if (indices.tensor.format !== 's32' || loops.length > 1 || indices.view.start !== 0)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) takes indices from ${quoted(node.inputs[1])}, which is no network input of integers; dyadic compiles tables that an input chooses from`,
    )
  const { values, shape } = context.constant(0)
  const [entries, channels] = shape
  const { low, high } = formatRange(target.format)
  const offset = storedOffset(target.format)
  const codes =
    storageFormat(target.format) === 's16' ? new Int16Array(entries * channels) : new Int8Array(entries * channels)
  for (let i = 0; i < codes.length; i++)
    codes[i] = clamp(Math.floor(Number(values[i]) / target.scale + target.zeroPoint + 0.5), low, high) - offset
  // A row for each index, whatever the shape of the indices.
  const rank = outputShape.length
  const assignment =
    rank === 1 ? defaultAssignment(outputShape) : { height: [], width: range(rank - 1), channels: [rank - 1] }
  const { storage, view } = assign(outputShape, assignment)
  let [least, most] = [codes[0], codes[0]]
  for (const code of codes) {
    least = Math.min(least, code)
    most = Math.max(most, code)
  }
  const output = plannedTensor(context, target, storage, interval(least, most))
  context.emit({
    kind: 'lookup',
    name: node.name,
    output,
    input: indices.tensor,
    indexStep: loops[0]?.step ?? 1,
    entries,
    codes,
  })
  return plannedValue(output, target, view)
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
