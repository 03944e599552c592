/**
 * From a fused graph and a plan to the finished module: lower, certify, emit, self-test, link, seal. Deterministic: the same
 * graph, plan and version give the same bytes.
 */
import { quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import { type Certificate, certify } from '../lower/certificate.ts'
import type { IntegerGraph } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { hashText } from '../lower/print.ts'
import { type Plan, printPlan } from '../quantize/plan.ts'
import { emitProgram } from './emit.ts'
import { link } from './link.ts'
import { type ProgramManifest, portsOf } from './manifest.ts'
import { PAGE_BYTES } from './module.ts'
import { seal } from './seal.ts'
import { expectedSelfTest } from './self-test.ts'
import { declareTypes } from './types-file.ts'

export interface CompileOptions {
  /** Version of the compiler, written into the manifest. */
  readonly version: string
  /** Facts about the model for people and reports, written into the manifest as they are. */
  readonly notes?: Readonly<Record<string, unknown>>
}

/** A program with everything that is known about it. */
export interface CompiledProgram {
  readonly wasm: Uint8Array
  readonly manifest: ProgramManifest
  /** TypeScript declarations of the network's inputs and outputs. */
  readonly dts: string
  readonly integerGraph: IntegerGraph
  readonly certificate: Certificate
}

/** Name of the custom section that the runtime reads. */
export const MANIFEST_SECTION = 'dyadic.manifest'

/** Compiles a fused graph. Throws `unsupported`, `refused` or `limit` before anything is written. */
export function compileProgram(graph: Graph, plan: Plan, options: CompileOptions): CompiledProgram {
  const integerGraph = lower(graph, plan)
  const certificate = certify(integerGraph)
  const emitted = emitProgram(integerGraph)
  const manifest: ProgramManifest = {
    schema: 1,
    name: graph.name,
    dyadic: options.version,
    inputs: portsOf(integerGraph.inputs, emitted.inputOffsets),
    outputs: portsOf(integerGraph.outputs, emitted.outputOffsets),
    memory: { bytes: emitted.pages * PAGE_BYTES, ...emitted.memory },
    plan: hashText(printPlan(plan)),
    selfTest: expectedSelfTest(integerGraph),
    certificate,
    ...(options.notes && { notes: options.notes }),
  }
  const wasm = seal(
    link(embeddedBytes(kernelBytes), {
      start: emitted.start,
      run: emitted.run,
      data: emitted.data,
      pages: emitted.pages,
      customSections: [{ name: MANIFEST_SECTION, bytes: asciiJson(manifest) }],
    }),
  )
  return { wasm, manifest, dts: declareTypes(manifest), integerGraph, certificate }
}

/** JSON whose characters are all ASCII, so that any host can decode it without a TextDecoder. */
function asciiJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** One line for people: what a program is. */
export function describeProgram(program: CompiledProgram): string {
  return `${quoted(program.manifest.name)}: ${program.wasm.length} bytes, ${program.manifest.memory.bytes} bytes of memory, integer graph ${program.certificate.integerGraph.slice(0, 12)}`
}
