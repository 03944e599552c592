/** From sums to findings: where the loss comes in, what causes it, and what to do about it. */
import type { Graph } from '../graph/graph.ts'
import { streamingHistogram } from '../quantize/histogram.ts'
import type { Plan } from '../quantize/plan.ts'
import type { Comparison, ValueLoss, WeightLoss } from './comparison.ts'
import { decibels, noiseRatio } from './error-sums.ts'
import { reach } from './grid.ts'
import type { ObservedValue } from './observed-value.ts'
import { recommend, type Trial, trialKinds } from './trials.ts'

/** A value's own noise counts from this share of what has accumulated. */
const LEAST_SHARE = 0.01

/** The findings of a comparison whose samples have all passed. */
export function summarise(
  graph: Graph,
  plan: Plan,
  observed: ReadonlyMap<string, ObservedValue>,
  facts: Pick<Comparison, 'data' | 'samples' | 'program'>,
): Comparison {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  /** The stored value that holds a value: itself or, where nothing moves, what it was made of. */
  const holder = (name: string): ObservedValue | undefined => {
    let value = name
    for (;;) {
      const found = observed.get(value)
      const producer = producers.get(value)
      if (found || producer === undefined) return found
      value = producer.inputs[0]
    }
  }
  const formatOf = (name: string): string => {
    for (let value = name; ; ) {
      for (const entries of [plan.tensors, plan.inputs]) if (Object.hasOwn(entries, value)) return entries[value].format
      const producer = producers.get(value)
      if (producer === undefined) return ''
      value = producer.inputs[0]
    }
  }
  const values = [...observed.values()].map((value, position): ValueLoss => {
    const { name, node, local, accumulated, entry, grid, total } = value
    const trials = trialsOf(value)
    const cause = causeOf(value, trials)
    const action = cause === 'inputs' ? undefined : recommend(trials)
    const ratio = accumulated.ratio()
    const inherited = Math.max(0, ...(node?.inputs ?? []).map((input) => holder(input)?.accumulated.ratio() ?? 0))
    const histogram = value.counted()
    // The input of a network is quantised by itself, whatever else is.
    const alone = node === undefined ? accumulated : grid && local
    return {
      name,
      operator: node?.operator ?? 'input',
      shape: value.shape,
      position,
      format: formatOf(name),
      entry,
      accumulated: accumulated.agreement(),
      inheritedDb: decibels(inherited),
      addedNoise: ratio - inherited,
      local: alone?.agreement(),
      reach: grid && reach(grid),
      extremes: histogram.extremes,
      clipped: total === 0 ? 0 : value.clipped / total,
      histogram,
      weights: weightsOf(value),
      cause,
      trials,
      action,
      expectedDb: action && decibels(Math.max(0, ratio - local.ratio() + 10 ** (-action.sqnrDb / 10))),
    }
  })
  return {
    network: graph.name,
    ...facts,
    outputs: graph.outputs.flatMap((name) => {
      const value = holder(name)
      return value ? [{ name, accumulated: value.accumulated.agreement() }] : []
    }),
    values: values.sort((a, b) => order(b.addedNoise, a.addedNoise) || a.position - b.position),
  }
}

/** Difference of numbers that may both be infinite. */
function order(a: number, b: number): number {
  return a === b ? 0 : a - b
}

function trialsOf(value: ObservedValue): Trial[] {
  const before = value.local.agreement().sqnrDb
  return value.trials
    .map(({ edit, sums }) => {
      const { sqnrDb } = sums.agreement()
      return { ...edit, sqnrDb, gainDb: sqnrDb === before ? 0 : sqnrDb - before }
    })
    .sort((a, b) => trialKinds.indexOf(a.kind) - trialKinds.indexOf(b.kind))
}

function weightsOf({ layer, weightEntry, ofWeights }: ObservedValue): WeightLoss | undefined {
  if (layer === undefined || weightEntry === undefined) return undefined
  const histogram = streamingHistogram()
  histogram.observe(layer.weights)
  return {
    format: weightEntry.format,
    count: layer.weights.length,
    steps: { low: Math.min(...weightEntry.scale), high: Math.max(...weightEntry.scale) },
    sqnrDb: ofWeights.agreement().sqnrDb,
    histogram: histogram.read(),
  }
}

/**
 * With 16 bits the output loses next to nothing: what noise is left then is that of the weights. A range is to blame when
 * another one halves the noise.
 */
function causeOf(
  { node, local, accumulated, layer, trials }: ObservedValue,
  tried: readonly Trial[],
): ValueLoss['cause'] {
  if (accumulated.noise === 0) return undefined
  if (node === undefined) return 'rounding'
  if (local.ratio() < LEAST_SHARE * accumulated.ratio()) return 'inputs'
  const wide = trials.find(({ edit }) => edit.kind === 'activations-16')
  const ofWeights = layer === undefined ? 0 : wide ? noiseRatio(wide.sums.noise, local.noise) : 1
  if (ofWeights >= 0.5) return 'weights'
  const ranges = tried.filter(({ kind }) => kind.startsWith('range-'))
  return ranges.some(({ gainDb }) => gainDb >= 3) ? 'range' : 'rounding'
}
