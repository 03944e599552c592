/** `dyadic compile`: from an ONNX file to one `.wasm`. */
import { basename } from 'node:path'
import { DyadicError, quoted } from '../../error.ts'
import { compile } from '../../index.ts'
import { printIntegerGraph } from '../../lower/print.ts'
import { printPlan } from '../../quantize/plan.ts'
import { checkedFacts, checkSizeGates, moduleSizes } from '../artefact.ts'
import type { CommandDescription } from '../command.ts'
import { counted, countNames, fields, integer, tally } from '../format.ts'
import { about, openCompilable, SHAPE_OPTIONS, sha256 } from '../model-file.ts'
import type { Emittable } from '../option-values.ts'
import { CALIBRATION_OPTIONS, choosePlan, readPlan } from '../plan-source.ts'
import { standaloneModule, standaloneTypes } from '../standalone-module.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

type Option =
  | (typeof CALIBRATION_OPTIONS)[number]
  | 'plan'
  | 'out'
  | 'emit'
  | 'maxBytes'
  | 'maxMemory'
  | (typeof SHAPE_OPTIONS)[number]

/** What `--emit` adds to the module's name. */
const EMITTED: Readonly<Record<Emittable, string>> = {
  plan: '.plan.json',
  'integer-graph': '.integer-graph.txt',
  module: '.mjs',
}

export const compileCommand: CommandDescription<Option> = {
  name: 'compile',
  summary: 'from an ONNX file to one integer-only .wasm',
  description:
    'Writes one module without floating point, without imports and with fixed memory, and a .d.ts with its inputs and outputs ' +
    'beside it. The numbers come from --calibrate, from --plan, or from the file itself when it is quantised (QDQ).',
  argument: ['model.onnx', 'the network'],
  options: [...CALIBRATION_OPTIONS, 'plan', 'out', 'emit', 'maxBytes', 'maxMemory', ...SHAPE_OPTIONS],
  meanings: { out: "the module (default: the model's name with .wasm, in this folder)" },
  examples: [
    'compile model.onnx --calibrate samples/ -o model.wasm',
    'compile model.onnx --plan plan.json -o model.wasm --max-bytes 500KB --json',
  ],
  async run({ argument: path, options, isGiven, session }) {
    if (options.plan !== undefined)
      for (const name of CALIBRATION_OPTIONS)
        if (isGiven(name)) throw new DyadicError('usage', `--plan has all the numbers; --${name} would change nothing`)
    const out = options.out ?? `${basename(path).replace(/\.onnx$/i, '')}.wasm`
    const stem = out.replace(/\.wasm$/i, '')
    const types = `${stem}.d.ts`
    const emitted = (options.emit ?? []).map((name) => ({ name, path: `${stem}${EMITTED[name]}` }))
    const moduleTypes = options.emit?.includes('module') ? [`${stem}.d.mts`] : []
    const inputs = [path, options.plan, options.calibrate].filter((input) => input !== undefined)
    await checkOutputs([out, types, ...moduleTypes, ...new Set(emitted.map((file) => file.path))], inputs)

    const start = session.clock()
    const model = await openCompilable(path, options)
    const plan =
      options.plan === undefined
        ? await choosePlan(path, model, options, session, ' or --plan <file>')
        : await readPlan(options.plan)
    const program = await session.blocking('compile', () =>
      about(path, () => compile(model.graph, plan, { notes: { onnxSha256: sha256(model.bytes) } })),
    )
    const facts = checkedFacts(program)
    checkSizeGates(program, options)
    const contents: Readonly<Record<Emittable, () => string>> = {
      plan: () => printPlan(plan),
      'integer-graph': () => printIntegerGraph(program.integerGraph),
      module: () => standaloneModule(program.wasm, program.manifest.name),
    }
    const files = [
      { path: out, content: program.wasm },
      { path: types, content: program.dts },
      ...emitted.map((file) => ({ path: file.path, content: contents[file.name]() })),
      ...moduleTypes.map((file) => ({ path: file, content: standaloneTypes(program.dts) })),
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
        compileSeconds: (session.clock() - start) / 1000,
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
