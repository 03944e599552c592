/**
 * Activations of 8 bits where 8 bits are enough, else of 16: the plan with 8 bits is simulated on some of its samples, and
 * where an output is too far from the float network's, every value between layers gets 16 bits over all that was observed:
 * with so many codes, cutting a range off could only hurt. Weights keep theirs.
 */
import type { DataSet } from '../data/data-set.ts'
import { quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { type CalibrateOptions, calibrate } from './calibrate.ts'
import { partOf } from './choose-methods.ts'
import { outputNearness } from './nearness.ts'
import type { Plan } from './plan.ts'

/** Least decibels of every output with 8 bits. Below 20 dB detectors move their boxes by a tenth; some room for other samples. */
const LEAST_DECIBELS = 26
/** Samples that are simulated, from the end of the set. */
const MOST_SAMPLES = 8

/** `calibrate` with `activations: 'auto'`: as described above, and said through `onNote`. */
export async function calibrateNear(
  graph: Graph,
  samples: DataSet,
  given: Omit<CalibrateOptions, 'activations'>,
): Promise<Plan> {
  const options = { ...given, onNote: given.onNote && once(given.onNote) }
  const plan = await calibrate(graph, samples, options)
  const total = Math.min(samples.length, options.samples ?? samples.length)
  const count = Math.min(MOST_SAMPLES, total)
  const found = await outputNearness(graph, plan, partOf(samples, total - count, count))
  const worst = graph.outputs.reduce((at, _, index) => (found[index] < found[at] ? index : at), 0)
  if (found[worst] >= LEAST_DECIBELS) return plan
  options.onNote?.(
    `activations: with 8 bits output ${quoted(graph.outputs[worst])} comes to ${found[worst].toFixed(1)} dB of the float network on ` +
      `${count} samples (wanted: ${LEAST_DECIBELS}); they get 16 bits over all that was observed (--activations u8 keeps 8)`,
  )
  const wide = await calibrate(graph, samples, { ...options, activations: 's16', range: 'minmax' })
  return { ...wide, origin: { ...wide.origin, activations: 's16', with8Bits: Number(found[worst].toFixed(2)) } }
}

/** Each note only the first time: the second calibration finds what the first one found. */
function once(onNote: (text: string) => void): (text: string) => void {
  const said = new Set<string>()
  return (text) => {
    if (!said.has(text)) onNote(text)
    said.add(text)
  }
}
