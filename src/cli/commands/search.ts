/** `dyadic search`: how many bits each layer's weights get under a budget, written as a plan. */
import { basename } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DyadicError, quoted } from '../../error.ts'
import { type Accuracy, evaluate } from '../../evaluate/evaluate.ts'
import { floatPredictor } from '../../evaluate/predictors.ts'
import type { Graph } from '../../graph/graph.ts'
import { applyMethods, type MethodName } from '../../quantize/methods.ts'
import { type Plan, printPlan } from '../../quantize/plan.ts'
import { createFastExecutor } from '../../reference/fast.ts'
import type { CostAxis } from '../../search/bit-allocation.ts'
import { type BitChoice, chooseBits, type Pins } from '../../search/bit-choice.ts'
import { budgetLimits } from '../../search/budget.ts'
import { type LayerTimes, measureLayerTimes } from '../../search/layer-times.ts'
import {
  hashSensitivities,
  type MeasuredSensitivities,
  measuredOmega,
  measureSensitivities,
} from '../../search/measure-sensitivity.ts'
import { type ReferenceOutputs, referenceOutputs } from '../../search/output-loss.ts'
import { type PerChoice, planLayers } from '../../search/plan-layers.ts'
import {
  allocateWithin,
  choosePoint,
  composePlan,
  type FrontAllocation,
  predictedError,
  searchFront,
  type VerifiedPlan,
  verifyPlan,
} from '../../search/search-front.ts'
import { weightedNodes, weightSensitivities } from '../../search/sensitivity.ts'
import type { CommandDescription, CommandRequest } from '../command.ts'
import { about, SHAPE_OPTIONS } from '../model-file.ts'
import { CALIBRATION_OPTIONS, type CalibrationOption } from '../plan-source.ts'
import { openSearchInputs, type SearchInputs } from '../search-inputs.ts'
import { outcomeObject, outcomeText, type SearchOutcome } from '../search-outcome.ts'
import { type FrontReport, frontPicture, frontRecord } from '../search-report.ts'
import { createKeeper, readSensitivities, sensitivityFile } from '../sensitivity-file.ts'
import type { Session } from '../session.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

type Option =
  | Exclude<CalibrationOption, 'weights' | 'group'>
  | 'budget'
  | 'bits'
  | 'sensitivity'
  | 'eval'
  | 'limit'
  | 'plot'
  | 'out'
  | (typeof SHAPE_OPTIONS)[number]

/** Measures every layer, going on from the file beside the plan. */
async function measure(
  { graph, plan, pins }: SearchInputs,
  reference: ReferenceOutputs,
  choices: readonly BitChoice[],
  path: string,
  session: Session,
): Promise<MeasuredSensitivities> {
  const known = await readSensitivities(path)
  const keeper = createKeeper(path, session.clock)
  session.progress.begin('measure layers')
  try {
    const measured = await measureSensitivities(graph, plan, reference, {
      choices,
      pins,
      known,
      signal: session.signal,
      async onMeasured(sofar, done, total) {
        session.progress.update(done, total)
        await keeper.keep(sofar)
        await nextTurn()
      },
    })
    // The whole record is in the network's order, whatever an earlier run has left out.
    await keeper.keep(measured)
    return measured
  } finally {
    session.progress.end()
    await keeper.end()
    if (session.signal.aborted)
      session.note(`what was measured is in ${quoted(path)}; the same command goes on from there`)
  }
}

/** Ω of the weights alone. */
function weightOmega(graph: Graph, choices: readonly BitChoice[], pins: Pins): PerChoice {
  const bits = choices.map((choice) => choice.bits)
  return new Map(
    weightSensitivities(graph, bits).map(({ name, sensitivity }) => {
      const pinned = pins.get(name)
      return [name, pinned === undefined ? sensitivity : new Map([[pinned.bits, 0]])]
    }),
  )
}

/** What the 8-bit plan costs: what `%` of a budget is of. */
function baseCosts(
  { graph, plan, pins }: SearchInputs,
  times: LayerTimes | undefined,
): Partial<Record<CostAxis, number>> {
  const { layers } = planLayers(graph, plan, { choices: chooseBits([8]), pins })
  const sum = (axis: 'bytes' | 'bops'): number =>
    layers.reduce((total, { options: [option] }) => total + (option.cost[axis] as number), 0)
  return { bytes: sum('bytes'), bops: sum('bops'), ...(times && { milliseconds: times.whole }) }
}

interface ComposedPlan extends FrontAllocation, VerifiedPlan {
  readonly plan: Plan
}

/** Makes and runs the plan of every allocation, and the float network on the same labelled samples. */
async function runFront(
  { graph, plan, pins, fitting, labelled }: SearchInputs,
  front: readonly FrontAllocation[],
  choices: readonly BitChoice[],
  reference: ReferenceOutputs,
  { limit, method = [] }: { readonly limit?: number; readonly method?: readonly MethodName[] },
  session: Session,
): Promise<{ points: ComposedPlan[]; base: VerifiedPlan; float: Accuracy | undefined }> {
  const { signal, progress } = session
  const labels = labelled && { set: labelled, limit, signal }
  const points: ComposedPlan[] = []
  progress.begin('run the front')
  for (const one of front) {
    const composed = await applyMethods(method, {
      ...{ graph, samples: fitting, limit: fitting.length, signal },
      plan: composePlan(graph, plan, choices, one.allocation.bits, pins),
    })
    points.push({ ...one, plan: composed, ...(await verifyPlan(graph, composed, reference, labels)) })
    progress.update(points.length, front.length + 1)
    await nextTurn()
    signal.throwIfAborted()
  }
  const base = await verifyPlan(graph, plan, reference, labels)
  progress.update(front.length + 1, front.length + 1)
  progress.end()
  if (labelled === undefined) return { points, base, float: undefined }
  progress.begin('float network')
  const float = await evaluate(labelled, floatPredictor(graph, createFastExecutor(graph), labelled), {
    ...{ limit, signal },
    onProgress: (done, total) => progress.update(done, total),
  })
  progress.end()
  return { points, base, float }
}

/** What the options say before anything is read. */
function settingsOf({ argument, options, isGiven }: CommandRequest<Option>) {
  const { budget: budgets, plot, sensitivity } = options
  if (budgets === undefined)
    throw new DyadicError('usage', "a search needs a budget: --budget 'bytes<=60%', for example")
  // Two budgets on one cost are found here, whatever the plan costs.
  budgetLimits(budgets, {})
  if (isGiven('limit') && options.eval === undefined)
    throw new DyadicError('usage', '--limit is about --eval <data>; give it too')
  const page = /\.html?$/i.test(plot ?? '')
  if (plot !== undefined && !page && !/\.svg$/i.test(plot))
    throw new DyadicError('usage', `--plot ${quoted(plot)}: a plot is an .svg or an .html file`)
  const out = options.out ?? `${basename(argument).replace(/\.onnx$/i, '')}.plan.json`
  const kept = sensitivity === 'weights' ? undefined : sensitivityFile(out)
  return { budgets, plot, page, out, kept, choices: chooseBits(options.bits ?? [4, 8]) }
}

const names = (...list: (string | undefined)[]): string[] => list.filter((name) => name !== undefined)

export const searchCommand: CommandDescription<Option> = {
  name: 'search',
  summary: 'choose the bits of every layer under a budget and write the plan',
  description:
    'Measures what each layer loses with few bits, one layer at a time on samples held back from calibration, and finds the ' +
    'assignment of bits with the least loss within the budget, exactly. The front of such assignments is compiled, run and ' +
    'shown; the plan of the chosen one is written. Measurements are kept beside the plan and used again.',
  argument: ['model.onnx', 'the network'],
  options: [
    ...CALIBRATION_OPTIONS.filter((name) => name !== 'weights' && name !== 'group'),
    ...(['budget', 'bits', 'sensitivity', 'eval', 'limit', 'plot', 'out', ...SHAPE_OPTIONS] as const),
  ],
  meanings: {
    out: "the plan (default: the model's name with .plan.json, in this folder)",
    limit: 'use only the first samples of --eval (default: all)',
    eval: 'labelled data: count right answers of every plan of the front',
    calibrate:
      'samples: three quarters choose the ranges, the rest (at most 64) is held back to measure on; files as for `quantize`',
  },
  examples: [
    "search model.onnx --calibrate train.card.json --budget 'bytes<=60%' -o plan.json",
    "search model.onnx --calibrate train.card.json --eval test.card.json --budget 'bops<=0.9G' --bits 2,4,8 --plot front.svg",
  ],
  async run(request) {
    const { argument: path, options, session } = request
    const { budgets, plot, page, out, kept, choices } = settingsOf(request)
    await checkOutputs(names(out, kept, plot), names(path, options.calibrate, options.eval))
    const inputs = await openSearchInputs(path, options, session)
    const { graph, plan, pins } = inputs
    const layers = weightedNodes(graph).map(({ outputs: [name] }) => name)

    // A budget that cannot be met is refused before the network is measured; only time has to be measured for that.
    const times = budgets.some(({ axis }) => axis === 'milliseconds')
      ? await measureLayerTimes(graph, plan, choices, session.clock, pins)
      : undefined
    const timing = times && { milliseconds: times.layers, otherMilliseconds: times.others }
    const cost = baseCosts(inputs, times)
    const limits = budgetLimits(budgets, cost)
    await allocateWithin({
      ...about(path, () => planLayers(graph, plan, { choices, pins, ...timing })),
      budgets: limits,
    })

    const reference = await referenceOutputs(graph, inputs.heldBack, session.signal)
    const measured = kept === undefined ? undefined : await measure(inputs, reference, choices, kept, session)
    const hash = measured && hashSensitivities(measured, choices)
    const kind = options.sensitivity === 'divergence' ? 'divergence' : 'squaredError'
    const sensitivities = measured
      ? measuredOmega(measured, layers, choices, kind, pins)
      : weightOmega(graph, choices, pins)
    const [{ axis }] = budgets
    const allocations = await searchFront(
      { ...planLayers(graph, plan, { choices, pins, sensitivities, ...timing }), budgets: limits },
      axis,
    )
    const { points, base, float } = await runFront(inputs, allocations, choices, reference, options, session)
    const chosen = choosePoint(points, kind)
    const report: FrontReport = {
      axis,
      layers,
      points: points.map((point) => ({
        ...point,
        chosen: point === chosen,
        ...(measured && { predicted: predictedError(measured, layers, choices, point.allocation.bits, pins) }),
      })),
      ...(times && { milliseconds: times.layers }),
      ...(float && { total: float.total }),
    }
    const search = {
      budgets: budgets.map(({ text }) => text),
      bits: choices.map(({ bits }) => bits),
      solver: 'optimal',
      sensitivity: options.sensitivity,
      heldBack: inputs.heldBack.length,
      ...(hash !== undefined && { sensitivities: hash }),
    }
    const front = frontRecord(report)
    const final: Plan = { ...chosen.plan, origin: { ...chosen.plan.origin, search: { ...search, front } } }
    const title = `${basename(path)}: weights with ${search.bits.join(', ')} bits`
    const picture = plot === undefined ? [] : [{ path: plot, content: frontPicture(front, title, page) }]
    await writeFiles([{ path: out, content: printPlan(final) }, ...picture], session.signal)

    const outcome: SearchOutcome = {
      ...{ model: path, out, plot, plan: final, budgets, limits, choices, pins, sensitivities, times, report },
      base: { ...base, cost },
      ...(kept !== undefined && hash !== undefined && { kept: { path: kept, hash } }),
      ...(inputs.labelled && float && { float: { set: inputs.labelled, accuracy: float } }),
    }
    return { json: outcomeObject(outcome), text: outcomeText(outcome) }
  },
}
