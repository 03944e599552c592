/** Where the numbers of a compilation come from: a plan file, the model file's own scales, or calibration. */
import { nodeFiles } from '../data/node-files.ts'
import { parseStrictJson } from '../data/strict-json.ts'
import { DyadicError, quoted } from '../error.ts'
import { DEFAULT_METHODS, type QuantizeOptions, quantize } from '../index.ts'
import { type Plan, parsePlan } from '../quantize/plan.ts'
import { openCalibration } from './calibration-data.ts'
import type { OnnxModel } from './model-file.ts'
import type { OptionValues } from './options.ts'
import type { Session } from './session.ts'

/** Options that calibration reads. */
export const CALIBRATION_OPTIONS = [
  'calibrate',
  'samples',
  'weights',
  'activations',
  'keep',
  'granularity',
  'group',
  'nonlinear',
  'state',
  'sequence',
  'symmetric',
  'range',
  'method',
] as const
export type CalibrationOption = (typeof CALIBRATION_OPTIONS)[number]

const LARGEST_PLAN = 2 ** 28

/** A plan file as parsed. Throws `refused` naming the file. */
export async function readPlan(path: string): Promise<Plan> {
  const bytes = await nodeFiles.read(path, LARGEST_PLAN)
  return parsePlan(parseStrictJson(bytes, `${quoted(path)}: a plan`), quoted(path))
}

/**
 * The plan of a network: the file's own scales where it has all of them, else by calibration on `--calibrate`. Throws
 * `usage` when samples are needed and not given; `remedy` says what else would help.
 */
export async function choosePlan(
  path: string,
  model: OnnxModel,
  options: OptionValues<CalibrationOption>,
  session: Session,
  remedy: string,
): Promise<Plan> {
  const { compiled, filePlan, missing } = model.prepared
  if (filePlan !== undefined && missing.length === 0) {
    session.note(
      `numbers: all scales are in ${quoted(path)} itself` +
        (options.calibrate === undefined ? '' : `; --calibrate ${quoted(options.calibrate)} is not used`) +
        (options.method?.length ? `; --method ${options.method.join(',')} is not used` : ''),
    )
    return quantize(model.graph, undefined, { nonlinear: options.nonlinear })
  }
  if (options.calibrate === undefined)
    throw new DyadicError(
      'usage',
      filePlan === undefined
        ? `${quoted(path)} is a float network: give --calibrate <data> with some hundred samples${remedy}`
        : `${quoted(path)} gives no scale for ${missing.slice(0, 4).map(quoted).join(', ')}${missing.length > 4 ? ` and ${missing.length - 4} more` : ''}: give --calibrate <data>${remedy}`,
    )
  const { state: states = [], sequence } = options
  const set = await openCalibration(options.calibrate, compiled, states, session)
  const count = Math.min(set.length, options.samples ?? set.length)
  const {
    weights,
    activations,
    symmetric,
    range,
    keep,
    granularity,
    group,
    nonlinear,
    method: methods = filePlan ? [] : DEFAULT_METHODS,
  } = options
  session.note(
    `numbers: weights ${weights}, activations ${activations}${symmetric ? ' symmetric' : ''}, ranges ${range}${granularity === 'channel' ? ' per channel' : ''}, ` +
      `${group === undefined ? '' : `groups of ${group}, `}` +
      `${nonlinear === 'default' ? '' : `family ${nonlinear}, `}` +
      `${(keep ?? []).map(({ pattern, format }) => `${quoted(pattern)} ${format}, `).join('')}` +
      `${methods.length > 0 ? `methods ${methods.join(', ')}, ` : ''}` +
      `calibrated on ${count} of ${set.length} samples of ${quoted(set.name)}`,
  )
  const calibration: QuantizeOptions = {
    weights,
    activations,
    symmetric,
    range,
    keep,
    granularity,
    group,
    nonlinear,
    states,
    sequence,
    methods,
    onNote: (text) => session.note(text),
    samples: options.samples,
    onProgress: (done, total) => session.progress.update(done, total),
    signal: session.signal,
  }
  session.progress.begin('calibrate')
  const plan = await quantize(model.graph, set, calibration)
  session.progress.end()
  return plan
}
