/**
 * Activations of 8 bits where 8 bits are enough, else of 16: the plan with 8 bits is simulated on some of its samples, and
 * where an output is too far from the float network's, every value between layers gets 16 bits over all that was observed:
 * with so many codes, cutting a range off could only hurt. Such a network is one that needs its numbers exactly, so what then
 * costs most is made finer, too: the grids around single Swish nodes, and the weights of single layers.
 */
import type { Samples } from '../data/aligned-sets.ts'
import { quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { type CalibrateOptions, calibrate } from './calibrate.ts'
import { carryStates } from './carry-states.ts'
import { chooseFormats } from './format-choice.ts'
import { separateGated } from './gated-scales.ts'
import { outputNearness } from './nearness.ts'
import type { Plan } from './plan.ts'
import { partOf } from './sample-parts.ts'
import { widenWeights } from './widen-weights.ts'

/** Least decibels of every output with 8 bits. Below 20 dB detectors move their boxes by a tenth; some room for other samples. */
const LEAST_DECIBELS = 26
/** Decibels that are wanted of every output once its values take 16 bits, and that weights and single values get more for. */
const WANTED_DECIBELS = 38
/** Gain that wider weights must bring, in decibels. */
const LEAST_GAIN = 0.5
/** Samples that are simulated, from the end of the set; fewer where every layer or value is simulated alone. */
const MOST_SAMPLES = 8
const FEW_SAMPLES = 2

/** `calibrate` with `activations: 'auto'`: as described above, and said through `onNote`. */
export async function calibrateNear(
  graph: Graph,
  given: Samples,
  calibration: Omit<CalibrateOptions, 'activations'>,
): Promise<Plan> {
  const { onNote } = calibration
  const options = { ...calibration, onNote: onNote && once(onNote) }
  const samples = await carryStates(graph, given, options)
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
  const few = partOf(samples, total - Math.min(FEW_SAMPLES, total), Math.min(FEW_SAMPLES, total))
  const wide = await calibrate(graph, samples, {
    ...options,
    activations: 's16',
    range: 'minmax',
    prepare: (context) => separateGated(context, WANTED_DECIBELS, few),
  })
  const origin = { ...wide.origin, activations: 's16', with8Bits: Number(found[worst].toFixed(2)) }
  const held = partOf(samples, total - count, count)
  const before = Math.min(...(await outputNearness(graph, wide, held)))
  if (before >= WANTED_DECIBELS || (options.weights ?? 's8') !== 's8') return { ...wide, origin }
  // With 16 bits for all others, only layers that no rule names have them.
  const common = { weights: 's16', activations: 's16' } as const
  const open = chooseFormats(graph, common, options.keep, options.states)
  const { signal } = options
  const context = { graph, samples, limit: total, plan: { ...wide, origin }, signal }
  const widened = await widenWeights(context, WANTED_DECIBELS, few, (name) => open.weights(name) === 's16')
  const after = Math.min(...(await outputNearness(graph, widened, held)))
  if (!(after >= before + LEAST_GAIN)) return { ...wide, origin }
  const names = widened.origin.weights16 as string[]
  options.onNote?.(
    `weights: with 8 bits an output comes to ${before.toFixed(1)} dB (wanted beside 16-bit activations: ${WANTED_DECIBELS}); ` +
      `${names.length} of ${Object.keys(wide.weights).length} layers get 16 bits, which brings ${after.toFixed(1)} dB ("weights16" in the plan lists them)`,
  )
  return widened
}

/** Each note only the first time: the second calibration finds what the first one found. */
function once(onNote: (text: string) => void): (text: string) => void {
  const said = new Set<string>()
  return (text) => {
    if (!said.has(text)) onNote(text)
    said.add(text)
  }
}
