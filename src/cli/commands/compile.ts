/** `dyadic compile`: from an ONNX file to one `.wasm`. */
import { basename } from 'node:path'
import type { DataSet } from '../../data/data-set.ts'
import { DyadicError, quoted } from '../../error.ts'
import { compile, compileGpu } from '../../index.ts'
import { printIntegerGraph } from '../../lower/print.ts'
import type { CompiledProgram } from '../../program/compile.ts'
import { checkSampleShape } from '../../quantize/input.ts'
import { type Plan, printPlan } from '../../quantize/plan.ts'
import { checkedFacts, checkSizeGates, moduleSizes } from '../artefact.ts'
import type { CommandDescription, CommandRequest } from '../command.ts'
import { compileReport } from '../compile-report.ts'
import { openData } from '../data-argument.ts'
import { counted, countNames, fields, integer, tally } from '../format.ts'
import { about, type OnnxModel, openCompilable, SHAPE_OPTIONS, sha256 } from '../model-file.ts'
import type { Emittable } from '../option-values.ts'
import { CALIBRATION_OPTIONS, choosePlan, readPlan } from '../plan-source.ts'
import { standaloneModule, standaloneTypes } from '../standalone-module.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'
import { writtenOptions } from '../written-options.ts'

type Option =
  | (typeof CALIBRATION_OPTIONS)[number]
  | 'plan'
  | 'data'
  | 'limit'
  | 'out'
  | 'emit'
  | 'report'
  | 'maxBytes'
  | 'maxMemory'
  | (typeof SHAPE_OPTIONS)[number]

/** What `--emit` adds to the module's name. */
const EMITTED: Readonly<Record<Emittable, string>> = {
  plan: '.plan.json',
  'integer-graph': '.integer-graph.txt',
  module: '.mjs',
  gpu: '.gpu',
}

/** Samples that a report uses where nobody says how many: sums over all elements settle early. */
const REPORT_SAMPLES = 64

/** Samples for the report, or why there are none. */
async function reportSamples(
  { prepared: { compiled } }: OnnxModel,
  { options, session }: CommandRequest<Option>,
): Promise<DataSet | string> {
  const { inputs, values } = compiled
  if (inputs.length !== 1) return `the network has ${inputs.length} inputs, and a data set serves networks with one`
  const path = options.data ?? options.calibrate
  if (path === undefined) return 'no samples were given; --data gives some'
  if (options.data === undefined)
    session.note(
      'note: the report compares on the data of --calibrate; --data gives it samples that calibration has not seen',
    )
  const shape = values.get(inputs[0])?.shape ?? []
  // What is assumed about the samples is said when calibration opens them.
  const quiet = options.data === undefined ? { ...session, note: () => {} } : session
  const set = await openData(path, shape.slice(1), quiet)
  checkSampleShape(inputs[0], shape, set)
  return set
}

/** The report of a finished program as HTML. */
async function reportOf(
  model: OnnxModel,
  plan: Plan,
  program: CompiledProgram,
  samples: DataSet | string,
  { argument, options, isGiven, session }: CommandRequest<Option>,
): Promise<string> {
  session.progress.begin('report')
  const { filePlan, missing, compiled } = model.prepared
  const calibrated = options.plan === undefined && (filePlan === undefined || missing.length > 0)
  const html = await compileReport({
    ...{ model: basename(argument), onnx: model.bytes, graph: model.graph, compiled, plan, program, samples },
    options: writtenOptions(options, calibrated ? [] : CALIBRATION_OPTIONS.filter((name) => !isGiven(name))),
    limit: options.limit ?? REPORT_SAMPLES,
    onProgress: (done, total) => session.progress.update(done, total),
    signal: session.signal,
  })
  session.progress.end()
  return html
}

export const compileCommand: CommandDescription<Option> = {
  name: 'compile',
  summary: 'from an ONNX file to one integer-only .wasm',
  description:
    'Writes one module without floating point, without imports and with fixed memory, and a .d.ts with its inputs and outputs ' +
    'beside it. The numbers come from --calibrate, from --plan, or from the file itself when it is quantised (QDQ).',
  argument: ['model.onnx', 'the network'],
  options: [
    ...[...CALIBRATION_OPTIONS, 'plan', 'data', 'limit', 'out', 'emit', 'report', 'maxBytes', 'maxMemory'],
    ...SHAPE_OPTIONS,
  ] as Option[],
  meanings: {
    out: "the module (default: the model's name with .wasm, in this folder)",
    data: 'samples for --report, with or without labels (default: those of --calibrate)',
    limit: `use only the first samples of --data (default: ${REPORT_SAMPLES})`,
    report:
      'a report: one HTML file with sizes, memory map, losses by value, histograms, sample answers and certificate (default: none)',
  },
  examples: [
    'compile model.onnx --calibrate samples/ -o model.wasm',
    'compile model.onnx --calibrate samples/ --data test.card.json --report report.html',
    'compile model.onnx --plan plan.json -o model.wasm --max-bytes 500KB --json',
  ],
  async run(request) {
    const { argument: path, options, isGiven, session } = request
    if (options.plan !== undefined)
      for (const name of CALIBRATION_OPTIONS)
        if (isGiven(name)) throw new DyadicError('usage', `--plan has all the numbers; --${name} would change nothing`)
    if (options.report === undefined)
      for (const name of ['data', 'limit'] as const)
        if (isGiven(name)) throw new DyadicError('usage', `--${name} is for --report, which is not given`)
    const out = options.out ?? `${basename(path).replace(/\.onnx$/i, '')}.wasm`
    const stem = out.replace(/\.wasm$/i, '')
    const types = `${stem}.d.ts`
    const emitted = (options.emit ?? []).map((name) => ({ name, path: `${stem}${EMITTED[name]}` }))
    const moduleTypes = options.emit?.includes('module') ? [`${stem}.d.mts`] : []
    const reports = options.report === undefined ? [] : [options.report]
    const inputs = [path, options.plan, options.calibrate, options.data].filter((input) => input !== undefined)
    await checkOutputs([out, types, ...moduleTypes, ...reports, ...new Set(emitted.map((file) => file.path))], inputs)

    const start = session.clock()
    const model = await openCompilable(path, options)
    const samples = reports.length > 0 ? await reportSamples(model, request) : ''
    const plan =
      options.plan === undefined
        ? await choosePlan(path, model, options, session, ' or --plan <file>')
        : await readPlan(options.plan)
    const program = await session.blocking('compile', () =>
      about(path, () => compile(model.graph, plan, { notes: { onnxSha256: sha256(model.bytes) } })),
    )
    const facts = checkedFacts(program)
    const compileSeconds = (session.clock() - start) / 1000
    checkSizeGates(program, options)
    const contents: Readonly<Record<Emittable, () => string | Uint8Array>> = {
      plan: () => printPlan(plan),
      'integer-graph': () => printIntegerGraph(program.integerGraph),
      module: () => standaloneModule(program.wasm, program.manifest.name),
      gpu: () => compileGpu(program.integerGraph),
    }
    const files = [
      { path: out, content: program.wasm },
      { path: types, content: program.dts },
      ...emitted.map((file) => ({ path: file.path, content: contents[file.name]() })),
      ...moduleTypes.map((file) => ({ path: file, content: standaloneTypes(program.dts) })),
      ...(reports.length > 0
        ? [{ path: reports[0], content: await reportOf(model, plan, program, samples, request) }]
        : []),
    ]
    await writeFiles(files, session.signal)

    const { wasm, manifest, certificate, integerGraph } = program
    const sizes = moduleSizes(wasm, facts)
    const operators = countNames(model.graph.nodes.map(({ operator }) => operator))
    const instructions = countNames(integerGraph.instructions.map(({ kind }) => kind))
    const hash = sha256(wasm)
    return {
      json: {
        model: path,
        out,
        files: files.map((file) => file.path),
        ...(options.report !== undefined && { report: options.report }),
        ...sizes,
        memoryBytes: manifest.memory.bytes,
        floatOpcodes: facts.floatOpcodes,
        imports: facts.imports,
        operators,
        instructions,
        sha256: hash,
        plan: manifest.plan,
        integerGraph: certificate.integerGraph,
        headroomBits: certificate.headroomBits,
        compileSeconds,
      },
      text:
        `${quoted(out)}: ${counted(wasm.length, 'byte')}\n` +
        fields([
          ['weights', counted(sizes.weightBytes, 'byte')],
          ['code', `${counted(sizes.codeBytes, 'byte')} beside the weights`],
          ['memory', `${counted(manifest.memory.bytes, 'byte')}, fixed`],
          ['float', `${counted(facts.floatOpcodes, 'instruction')}, ${counted(facts.imports, 'import')}`],
          ['operators', tally(operators)],
          ['integers', tally(instructions)],
          [
            'proven',
            `no accumulator beyond ${integer(certificate.largestAccumulator)}, ${certificate.headroomBits} bits to spare in int32`,
          ],
          ['SHA-256', hash],
          [
            'also wrote',
            files
              .slice(1)
              .map((file) => quoted(file.path))
              .join('\n'),
          ],
        ]),
    }
  },
}
