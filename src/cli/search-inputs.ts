/** What `dyadic search` works on: the network, samples for ranges and samples held back, labelled data, the 8-bit plan. */
import type { DataSet } from '../data/data-set.ts'
import { subset } from '../data/subset.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { quantize } from '../index.ts'
import { checkSampleShape } from '../quantize/input.ts'
import type { Plan } from '../quantize/plan.ts'
import { type Pins, pinLayers } from '../search/bit-choice.ts'
import { openData, openLabelled, singlePorts } from './data-argument.ts'
import { counted } from './format.ts'
import { openCompilable, type SHAPE_OPTIONS } from './model-file.ts'
import type { OptionValues } from './options.ts'
import type { CalibrationOption } from './plan-source.ts'
import type { Session } from './session.ts'

/** Held-back samples: a quarter of the calibration samples, at most so many. */
const MOST_HELD_BACK = 64
/** With fewer, which layer seems to matter is a matter of the samples. */
const FEW_HELD_BACK = 16

export interface SearchInputs {
  readonly graph: Graph
  /** For ranges and methods. */
  readonly fitting: DataSet
  /** For what is measured. */
  readonly heldBack: DataSet
  readonly labelled: DataSet | undefined
  /** 8 bits where `--keep` says nothing else, without methods, which come after the bits are chosen. */
  readonly plan: Plan
  /** Layers whose bits `--keep` gives. */
  readonly pins: Pins
}

/** Opens everything. Throws `usage` without samples, `refused` for fewer than two and for data that do not fit. */
export async function openSearchInputs(
  path: string,
  options: OptionValues<CalibrationOption | 'eval' | (typeof SHAPE_OPTIONS)[number]>,
  session: Session,
): Promise<SearchInputs> {
  if (options.calibrate === undefined)
    throw new DyadicError('usage', 'a search measures the network: give --calibrate <data> with some hundred samples')
  const model = await openCompilable(path, options)
  const graph = model.prepared.compiled
  const shapeOf = (name: string): readonly number[] => graph.values.get(name)?.shape ?? []
  const { input, output } = singlePorts(path, graph.inputs, options.eval ? graph.outputs : graph.outputs.slice(0, 1))
  const set = await openData(options.calibrate, shapeOf(input).slice(1), session)
  checkSampleShape(input, shapeOf(input), set)
  const { fitting, heldBack } = split(set, Math.min(set.length, options.samples ?? set.length), session)
  let labelled: DataSet | undefined
  if (options.eval !== undefined) {
    labelled = await openLabelled(options.eval, shapeOf(input).slice(1), elementCount(shapeOf(output)), session)
    checkSampleShape(input, shapeOf(input), labelled)
  }
  const { symmetric, range, keep, granularity } = options
  const pins = pinLayers(graph, keep)
  const activations = options.activations === 'auto' ? 'u8' : options.activations
  session.progress.begin('calibrate')
  const plan = await quantize(model.graph, fitting, {
    ...{ activations, symmetric, range, keep, granularity, methods: [], signal: session.signal },
    onProgress: (done, total) => session.progress.update(done, total),
  })
  session.progress.end()
  return { graph, fitting, heldBack, labelled, plan, pins }
}

function split(set: DataSet, count: number, session: Session): Pick<SearchInputs, 'fitting' | 'heldBack'> {
  if (count < 2)
    throw new DyadicError(
      'refused',
      `${quoted(set.name)} gives ${counted(count, 'sample')}: a search needs some to choose ranges and others to measure on; give some hundred`,
    )
  const held = Math.min(MOST_HELD_BACK, Math.max(1, Math.floor(count / 4)))
  session.note(
    `samples: ranges on the first ${count - held} of ${quoted(set.name)}, measured on the ${held} after them` +
      (held < FEW_HELD_BACK ? '; so few leave the choice to chance: give some hundred' : ''),
  )
  const indices = Array.from({ length: count }, (_, index) => index)
  return { fitting: subset(set, indices.slice(0, count - held)), heldBack: subset(set, indices.slice(count - held)) }
}
