/**
 * The public surface of dyadic: read a network, choose its numbers, compile it. Everything here also runs in a browser tab.
 * `dyadic/runtime` loads what `compile` makes; `dyadic/data` reads data sets.
 */

import type { Samples } from './data/aligned-sets.ts'
import { DyadicError, quoted } from './error.ts'
import { exportOnnx as exportFused, type OnnxFormat } from './export/export-onnx.ts'
import { emitGpuProgram } from './gpu/emit.ts'
import type { Graph } from './graph/graph.ts'
import type { IntegerGraph } from './lower/integer-graph.ts'
import { type CompiledProgram, compileProgram } from './program/compile.ts'
import { type CalibrateOptions, calibrate } from './quantize/calibrate.ts'
import { calibrateNear } from './quantize/calibrate-near.ts'
import type { MethodName } from './quantize/methods.ts'
import { withNonlinear } from './quantize/nonlinear.ts'
import type { NonlinearFamily, Plan } from './quantize/plan.ts'
import { completePlan, prepare } from './quantize/prepare.ts'
import { writeGpuProgram } from './runtime/gpu/program.ts'
import { VERSION } from './version.ts'

export type { AlignedSets, Samples } from './data/aligned-sets.ts'
export type { DataSet } from './data/data-set.ts'
/** Everything that is refused: a `code` for programs, and a message that says what was found, where, why, and what to do. */
export { DyadicError, type ErrorCode } from './error.ts'
export { evaluate, evaluatePair, type Predictor } from './evaluate/evaluate.ts'
export { floatPredictor, programPredictor } from './evaluate/predictors.ts'
export type { OnnxFormat } from './export/export-onnx.ts'
export type { Graph, Node, Value } from './graph/graph.ts'
export {
  type ConstantDescription,
  type GraphDescription,
  makeGraph,
  type NodeDescription,
} from './graph/make-graph.ts'
export { printGraph } from './graph/print.ts'
export type { IntegerGraph } from './lower/integer-graph.ts'
export { printIntegerGraph } from './lower/print.ts'
export { defaultLimits, type ExternalReader, type Limits, parseOnnx } from './onnx/index.ts'
export type { CompiledProgram } from './program/compile.ts'
export { interpret } from './program/interpret.ts'
export type { ProgramManifest } from './program/manifest.ts'
export { runSelfTest } from './program/self-test.ts'
export { type VerificationReport, verifyModule } from './program/verify.ts'
/** How the numbers of a network are chosen; every field has a default. */
export type { CalibrateOptions } from './quantize/calibrate.ts'
export { realInput } from './quantize/input.ts'
export {
  type NonlinearFamily,
  nonlinearFamilies,
  type Plan,
  parsePlan,
  printPlan,
  type StatePair,
} from './quantize/plan.ts'
export { createFastExecutor } from './reference/fast.ts'
export { createReferenceExecutor } from './reference/run.ts'
export { prepare, VERSION }

/** What `quantize` does where its options say nothing; chosen on held-back calibration samples (docs/accuracy.md). */
export const DEFAULT_METHODS: readonly MethodName[] = ['gptq', 'bias-correction']
/** How `quantize` chooses ranges where its options say nothing: least squared error. */
export const DEFAULT_RANGE = 'mse'

/** Options of `quantize`: those of calibration, and `auto` (default) for activations of 8 bits where these are enough, else 16. */
export interface QuantizeOptions extends Omit<CalibrateOptions, 'activations'> {
  readonly activations?: CalibrateOptions['activations'] | 'auto'
  /** How softmax, normalisation and GELU compute (default: dyadic's own way). */
  readonly nonlinear?: NonlinearFamily
}

/**
 * Chooses the numbers of a network. A file that is quantised already (QDQ) gives its own; whatever it leaves open, and every
 * float network, is calibrated on `samples`: a data set, or aligned ones by input. Throws `refused` when samples are needed and there are none.
 */
export async function quantize(graph: Graph, samples?: Samples, options: QuantizeOptions = {}): Promise<Plan> {
  const { compiled, filePlan, missing } = prepare(graph)
  const { nonlinear = 'default', ...numbers } = options
  const inFamily = (plan: Plan): Plan => withNonlinear(compiled, plan, nonlinear)
  if (filePlan && missing.length === 0) return inFamily(filePlan)
  if (samples === undefined)
    throw new DyadicError(
      'refused',
      filePlan
        ? `the file gives no scale for ${missing.slice(0, 4).map(quoted).join(', ')}${missing.length > 4 ? ` and ${missing.length - 4} more` : ''}; give calibration samples`
        : 'a float network needs calibration samples; give a data set of a few hundred',
    )
  const { activations: wanted = 'auto', range = DEFAULT_RANGE, ...rest } = numbers
  // Weights of few bits cost more than activations ever can: wider activations would give nothing back.
  const activations = wanted === 'auto' && !['s8', 's16'].includes(options.weights ?? 's8') ? 'u8' : wanted
  // Weights that a file brings are as they are: methods could only move them.
  const methods = options.methods ?? (filePlan ? [] : DEFAULT_METHODS)
  const chosen = { ...rest, range, methods }
  if (filePlan)
    return inFamily(
      completePlan(
        await calibrate(compiled, samples, { ...chosen, activations: activations === 'auto' ? 'u8' : activations }),
        filePlan,
        compiled,
      ),
    )
  return inFamily(
    activations === 'auto'
      ? await calibrateNear(compiled, samples, chosen)
      : await calibrate(compiled, samples, { ...chosen, activations }),
  )
}

/** Compiles a network by a plan. Throws `unsupported`, `refused` or `limit`. */
export function compile(
  graph: Graph,
  plan: Plan,
  options: { readonly notes?: Readonly<Record<string, unknown>> } = {},
): CompiledProgram {
  return compileProgram(prepare(graph).compiled, plan, { version: VERSION, notes: options.notes })
}

/**
 * The same integers as a WebGPU program, a file for `dyadic/runtime/gpu`. Throws `limit` or `unsupported`, by name, for a
 * movement over more axes, or a product with more loops, than the kernels have.
 */
export function compileGpu(integerGraph: IntegerGraph): Uint8Array {
  return writeGpuProgram(emitGpuProgram(integerGraph))
}

/**
 * The network with the plan's numbers as an ONNX file for other runtimes: `qdq` (default), `qoperator` or `qonnx`. Throws as
 * `compile`, and `unsupported` for numbers that the format cannot hold.
 */
export function exportOnnx(graph: Graph, plan: Plan, options: { readonly format?: OnnxFormat } = {}): Uint8Array {
  return exportFused(prepare(graph).compiled, plan, { version: VERSION, format: options.format })
}
