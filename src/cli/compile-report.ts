/** The report of a compilation: collects what is known about a program and has it drawn. Equal inputs give equal bytes. */
import { gzipSync } from 'node:zlib'
import { compare } from '../compare/compare.ts'
import type { DataSet } from '../data/data-set.ts'
import { DyadicError } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import type { CompiledProgram } from '../program/compile.ts'
import { emitProgram } from '../program/emit.ts'
import { runSelfTest } from '../program/self-test.ts'
import { inspectModule } from '../program/verify.ts'
import type { Plan } from '../quantize/plan.ts'
import { type ProgramReport, renderProgramReport } from '../report/program-report.ts'
import { loadSync, type Network } from '../runtime/index.ts'
import { VERSION } from '../version.ts'
import { counted, countNames, integer, tally } from './format.ts'
import { memoryMap } from './memory-map.ts'
import { sha256 } from './model-file.ts'
import { answerSamples, givesScores } from './sample-answers.ts'

export interface CompileReportInputs {
  /** The file as the user named it, and its bytes. */
  readonly model: string
  readonly onnx: Uint8Array
  /** As the file has it, and as it is compiled. */
  readonly graph: Graph
  readonly compiled: Graph
  readonly plan: Plan
  readonly program: CompiledProgram
  /** Options as one would write them. */
  readonly options: readonly (readonly [name: string, value: string])[]
  /** Samples to compare float network and program on, or why there are none. */
  readonly samples: DataSet | string
  /** Most samples to use. */
  readonly limit: number
  /** Names of the classes by index, where they are known. */
  readonly classNames?: readonly string[]
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** What the plan says about where its numbers come from, on one line. */
function originOf({ origin }: Plan): string {
  const known = Object.entries(origin).filter(([key]) => key !== 'search')
  return (
    known.map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ') ||
    'a plan that does not say where its numbers come from'
  )
}

/** Runs the module's self-test here. Throws `verification` when this host computes other bytes. */
function selfTested(network: Network, { manifest }: CompiledProgram): string {
  const { selfTest } = manifest
  const found = runSelfTest(
    network.inputs,
    network.outputs,
    selfTest,
    (inputs) => new Map(Object.entries(network.runInteger(Object.fromEntries(inputs)))),
  )
  if (found !== selfTest.sha256)
    throw new DyadicError(
      'verification',
      `the module computes other bytes on this host (SHA-256 ${found}) than the scalar meaning of its integers (${selfTest.sha256}); do not use it, and please report this`,
    )
  return `${counted(selfTest.samples, 'made-up sample')} through the module and through the scalar meaning of its integers: equal bytes`
}

function stepsOf({ model, onnx, graph, compiled, plan, program }: CompileReportInputs, tested: string) {
  const { integerGraph } = program
  const { start, run } = emitProgram(integerGraph)
  const operators = (nodes: Graph['nodes']): string => tally(countNames(nodes.map(({ operator }) => operator)))
  const kernels = new Set([...start, ...run].map(({ kernel }) => kernel))
  return [
    ['read', `${model}, ${counted(onnx.length, 'byte')}: ${operators(graph.nodes)}`],
    ['simplified, fused', operators(compiled.nodes)],
    ['numbers', originOf(plan)],
    ['integers', tally(countNames(integerGraph.instructions.map(({ kind }) => kind)))],
    [
      'linked',
      `${counted(run.length, 'kernel call')} per inference and ${integer(start.length)} at the start, of ${counted(kernels.size, 'kernel')}`,
    ],
    ['self-test', tested],
  ] as const
}

function sizesOf({ onnx, program }: CompileReportInputs): ProgramReport['sizes'] {
  const { wasm } = program
  const { dataBytes, sections } = inspectModule(wasm)
  const manifestBytes = sections.reduce((sum, { custom, bytes }) => sum + (custom ? bytes : 0), 0)
  return {
    wasmBytes: wasm.length,
    gzipBytes: gzipSync(wasm, { level: 9 }).length,
    weightBytes: dataBytes,
    manifestBytes,
    codeBytes: wasm.length - dataBytes - manifestBytes,
    onnxBytes: onnx.length,
  }
}

/**
 * The report as HTML. Throws as `compare` and the predictors when the samples do not fit the network, and `verification`
 * when the module does not pass its self-test here.
 */
export async function compileReport(inputs: CompileReportInputs): Promise<string> {
  const { compiled, plan, program, samples, limit, signal, onnx, classNames, onProgress } = inputs
  const { manifest, certificate, integerGraph, wasm } = program
  const network = loadSync(wasm)
  const tested = selfTested(network, program)
  const used = typeof samples === 'string' ? 0 : Math.min(limit, samples.length)
  const answering = typeof samples !== 'string' && givesScores(compiled)
  // The comparison goes through the samples twice.
  const all = used * (answering ? 3 : 2)
  const comparison =
    typeof samples === 'string'
      ? samples
      : await compare(compiled, plan, samples, { limit, signal, onProgress: (done) => onProgress?.(done, all) })
  const answers = answering
    ? await answerSamples(compiled, network, samples, {
        ...{ limit, signal, ...(classNames && { classNames }) },
        onProgress: (done) => onProgress?.(2 * used + done, all),
      })
    : undefined
  return renderProgramReport({
    network: manifest.name,
    version: VERSION,
    steps: stepsOf(inputs, tested),
    options: inputs.options,
    hashes: [
      ['ONNX file', sha256(onnx)],
      ['plan', manifest.plan],
      ['integer graph', certificate.integerGraph],
      ['self-test', manifest.selfTest.sha256],
      ['module', sha256(wasm)],
    ],
    sizes: sizesOf(inputs),
    memory: manifest.memory,
    buffers: memoryMap(integerGraph),
    instructions: integerGraph.instructions.map(({ name, kind }) => ({ name, kind })),
    certificate,
    comparison,
    ...(answers && { answers }),
  })
}
