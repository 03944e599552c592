/** Values between layers, inputs and outputs under their formats, with scales from what was seen on calibration samples. */
import { DyadicError, quoted } from '../error.ts'
import type { Format } from '../formats/catalogue.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import type { Transform } from '../reference/fast.ts'
import type { Arithmetic } from './arithmetic.ts'
import { chooseFormat, type ScaledFormat, type StudyRange } from './choose-scale.ts'
import { type HeldTensor, held, storedTensor, unrounded } from './held-tensor.ts'
import { type LayerChoice, storedValues } from './layers.ts'
import type { Statistics, ValueStatistics } from './observe.ts'
import { roundBlocks, roundElements } from './round-values.ts'
import { requireSign } from './round-weights.ts'
import { roundingFormat, type StudyFormat } from './study-format.ts'

/** What choosing scales may use. */
export interface ResolveOptions {
  /** Needed where a value's format has a scale; see `needsStatistics`. */
  readonly statistics?: Statistics
  /** Bits of the integers that samples are stored in; undefined for real numbers. */
  readonly storedInputBits?: number
}

/** A value that is rounded. */
export interface ValueFormat {
  readonly name: string
  readonly format: StudyFormat
}

/** The values that are rounded, in the order of computation. */
export function valueFormats(graph: Graph, arithmetic: Arithmetic, choice: LayerChoice): ValueFormat[] {
  const given = (name: string): string =>
    graph.outputs.includes(name) ? arithmetic.outputs : choice.of('activations', name)
  const named = [
    ...graph.inputs.map((name): [string, string] => [name, arithmetic.inputs]),
    ...storedValues(graph).map((name): [string, string] => [name, given(name)]),
  ]
  return named.flatMap(([name, text]) => {
    const format = roundingFormat(text)
    return format === undefined ? [] : [{ name, format }]
  })
}

/** Elements of a value of one sample. */
export function elementsOf(graph: Graph, name: string): number {
  return elementCount(graph.values.get(name)?.shape ?? [])
}

/** A value that no calibration sample has shown. */
export function unobserved(name: string): DyadicError {
  return new DyadicError('refused', `value ${quoted(name)} was not observed; give calibration samples`)
}

/** What happens to every value, and how it is held; for one that keeps its float32 numbers nothing happens. */
export function resolveValues(
  graph: Graph,
  arithmetic: Arithmetic,
  choice: LayerChoice,
  { statistics, storedInputBits }: ResolveOptions,
): { transforms: Map<string, Transform>; values: Map<string, HeldTensor> } {
  const transforms = new Map<string, Transform>()
  const values = new Map<string, HeldTensor>()
  if (storedInputBits !== undefined)
    for (const name of graph.inputs) values.set(name, storedTensor(elementsOf(graph, name), storedInputBits))
  for (const name of storedValues(graph)) values.set(name, unrounded(elementsOf(graph, name)))
  for (const { name, format } of valueFormats(graph, arithmetic, choice)) {
    const seen = statistics?.get(name)
    if (seen === undefined && format.scale !== 'none') throw unobserved(name)
    const { transform, record, scales } = valueTransform(format, seen, arithmetic.range, name)
    transforms.set(name, transform)
    const elements = elementsOf(graph, name)
    const shape = graph.values.get(name)?.shape ?? []
    // Blocks lie along channels: the second axis of maps and matrices, the last one elsewhere.
    const channels = (shape.length === 2 || shape.length === 4 ? shape[1] : shape.at(-1)) ?? 1
    values.set(name, held(format.name, record, elements, elements / channels, scales))
  }
  return { transforms, values }
}

/** How a value is rounded, by what was seen of it. */
export function valueTransform(
  format: StudyFormat,
  seen: ValueStatistics | undefined,
  range: StudyRange,
  name: string,
): { transform: Transform; record: Format; scales?: readonly number[] } {
  // What has no scale asks nothing of the samples.
  const { low, high, sample } = seen ?? { low: -1, high: 1, sample: new Float32Array(0) }
  requireSign(format, low < 0, `the value ${quoted(name)}`)
  const [block] = format.signed
  if (block?.kind === 'block')
    return { transform: (values, channels, lanes) => roundBlocks(block, values, channels, lanes), record: block }
  const extent = { values: sample, largest: Math.max(Math.abs(low), Math.abs(high)) }
  const chosen: ScaledFormat = chooseFormat(format, [extent], range, low < 0)
  const { format: record, scales, rounding } = chosen
  const [scale] = scales as [number]
  return { transform: (values) => roundElements(record, values, scale, rounding), record, scales }
}
