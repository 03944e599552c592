/** What people should know about their samples and weights before they trust a plan: one line each, with names. */
import { quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { readNumbers } from '../graph/tensor.ts'
import { isWeighted } from './format-choice.ts'
import type { Range } from './observe.ts'

/** Ranges of fewer samples move visibly with the next one. */
const FEWEST_SAMPLES = 16
/** Of samples that are sequences of indices, every index counts. */
const FEWEST_INDICES = 256
/** A weight this much larger than 99 of 100 takes four bits or more from all others. */
const OUTLIER_RATIO = 16
/** Layers with fewer weights have no percentiles. */
const FEWEST_WEIGHTS = 400

/** `indices` is how many indices of tables all samples have together, where that is what they are made of. */
export function calibrationNotes(
  graph: Graph,
  ranges: ReadonlyMap<string, Range>,
  samples: { readonly count: number; readonly name: string; readonly indices?: number },
): string[] {
  const notes: string[] = []
  const { indices } = samples
  if (indices !== undefined) {
    if (indices < FEWEST_INDICES)
      notes.push(
        `the calibration samples of ${quoted(samples.name)} have ${indices} ${indices > 1 ? 'indices' : 'index'} in all, too few for trustworthy ranges; give at least ${FEWEST_INDICES}, better some thousand`,
      )
  } else if (samples.count < FEWEST_SAMPLES)
    notes.push(
      `${samples.count} calibration sample${samples.count > 1 ? 's' : ''} of ${quoted(samples.name)} ${samples.count > 1 ? 'are' : 'is'} too few for trustworthy ranges; give at least ${FEWEST_SAMPLES}, better some hundred`,
    )
  for (const [name, { low, high }] of ranges)
    if (low === high)
      notes.push(`${quoted(name)} has the value ${low} in all calibration samples; any other value will be cut off`)
  for (const node of graph.nodes)
    if (isWeighted(node)) notes.push(...weightNotes(graph, node.inputs[1], node.outputs[0]))
  return notes
}

function weightNotes(graph: Graph, constant: string, layer: string): string[] {
  const stored = graph.constants.get(constant)
  if (stored === undefined) return []
  const magnitudes = readNumbers(stored).map(Math.abs)
  const [outputs] = stored.shape
  const taps = magnitudes.length / outputs
  const notes: string[] = []
  const dead = Array.from({ length: outputs }, (_, o) => o).filter((o) =>
    magnitudes.slice(o * taps, (o + 1) * taps).every((magnitude) => magnitude === 0),
  )
  if (dead.length > 0)
    notes.push(
      `layer ${quoted(layer)}: ${dead.length} of ${outputs} output channels have no weights (${dead.slice(0, 4).join(', ')}${dead.length > 4 ? ', …' : ''}); they are constant`,
    )
  const sorted = Float64Array.from(magnitudes.filter((magnitude) => magnitude > 0)).sort()
  const [largest, usual] = [sorted[sorted.length - 1], sorted[Math.floor(sorted.length * 0.99)]]
  if (sorted.length >= FEWEST_WEIGHTS && largest > OUTLIER_RATIO * usual)
    notes.push(
      `layer ${quoted(layer)}: the largest weight is ${(largest / usual).toFixed(0)} times the 99th percentile; --method weights-mse or equalize may help`,
    )
  return notes
}
