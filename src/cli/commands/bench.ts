/** `dyadic bench`: how long a program takes on this machine, and where. */
import { planBits } from '../../cost/bit-widths.ts'
import { countNetwork } from '../../cost/count.ts'
import { nominalPlan } from '../../cost/program-memory.ts'
import { DyadicError, quoted } from '../../error.ts'
import kernelBytes from '../../kernels/embedded/integer.ts'
import { embeddedBytes } from '../../kernels/module.ts'
import type { IntegerGraph } from '../../lower/integer-graph.ts'
import { lower } from '../../lower/lower.ts'
import { emitProgram } from '../../program/emit.ts'
import { link } from '../../program/link.ts'
import { decodeModule } from '../../program/wasm/decode.ts'
import type { Plan } from '../../quantize/plan.ts'
import { medianTime } from '../../search/layer-times.ts'
import { benchGpu, isGpuProgram } from '../bench-gpu.ts'
import { benchProgram, type ProgramBench } from '../bench-program.ts'
import type { CommandDescription } from '../command.ts'
import { counted, fields, milliseconds } from '../format.ts'
import { callsByInstruction } from '../instruction-calls.ts'
import {
  about,
  isProgram,
  type OnnxModel,
  parseModel,
  readModel,
  SHAPE_OPTIONS,
  unsupportedError,
} from '../model-file.ts'
import type { OptionValues } from '../options.ts'
import { readPlan } from '../plan-source.ts'
import { callsOfRun } from '../program-operators.ts'
import type { Session } from '../session.ts'
import { timeOperators } from '../time-operators.ts'
import { type OperatorTime, summed, timesTable, withRates } from '../times-table.ts'

type Option = 'plan' | 'against' | 'onnx' | 'tiles' | 'tuneGpu' | 'out' | (typeof SHAPE_OPTIONS)[number]

/** Options that only a GPU program has. */
const GPU_OPTIONS = [
  ['tiles', '--tiles'],
  ['tuneGpu', '--tune-gpu'],
  ['out', '--out'],
] as const

/** Multiply-accumulates by the value that a layer makes. */
function macsOf({ prepared: { compiled } }: OnnxModel, plan: Plan): ReadonlyMap<string, number> {
  const { layers } = countNetwork(compiled, planBits(compiled, plan))
  return new Map(layers.map(({ name, macs }) => [name, macs]))
}

/** Times of the instructions of an integer graph, each alone, and of the whole. */
async function timeGraph(
  graph: IntegerGraph,
  macs: ReadonlyMap<string, number>,
  { clock, progress, signal }: Session,
): Promise<{ instructions: OperatorTime[]; whole: number }> {
  const wasm = link(embeddedBytes(kernelBytes), { ...emitProgram(graph), customSections: [] })
  const module = decodeModule(wasm)
  const operators = callsByInstruction(graph, callsOfRun(module)).map((calls) => ({ calls }))
  progress.begin('time')
  const alone = await timeOperators(module, operators, clock, (done, total) => progress.update(done, total), signal)
  progress.end()
  const { instance } = await WebAssembly.instantiate(wasm as Uint8Array<ArrayBuffer>)
  const whole = medianTime(instance.exports.run as () => void, clock)
  const instructions = graph.instructions.map((instruction, index): OperatorTime => {
    const { kind } = instruction
    const name = kind === 'export' ? instruction.name : instruction.output.name
    const kernels = [...new Set(operators[index].calls.map(({ kernel }) => kernel))]
    // An export bears the name of the value that it hands over, and multiplies nothing.
    const work = kind === 'convolution' || kind === 'depthwise' ? (macs.get(name) ?? 0) : 0
    return { name, kind, kernels, milliseconds: alone[index], macs: work }
  })
  return { instructions, whole }
}

/** The peers that were asked for and what they run. Throws `usage` where a program comes without its ONNX file. */
function peersOf(path: string, { against, onnx }: OptionValues<Option>, folder: string): ProgramBench['against'] {
  if (against === undefined) {
    if (onnx !== undefined) throw new DyadicError('usage', '--onnx is for --against, which is not given')
    return undefined
  }
  if (onnx === undefined)
    throw new DyadicError(
      'usage',
      `--against needs --onnx <file>: the network that ${quoted(path)} was compiled from, for the others to run`,
    )
  return { names: against, onnx, folder }
}

export const benchCommand: CommandDescription<Option> = {
  name: 'bench',
  summary: 'how long a program takes on this machine, layer by layer',
  description:
    'Times a program, each instruction alone and the whole, slowest first, with its kernels and its multiply-accumulates per ' +
    'second. A .wasm needs nothing else; where the file has no name for an instruction there is none. Of an ONNX file the ' +
    'program is made in memory; times hardly depend on the numbers of a plan: without --plan, made-up ones of the default ' +
    'formats are taken. --against runs another runtime in turns with a .wasm, where one is installed. One thread, medians. ' +
    'A .gpu runs on a GPU, dispatch by dispatch, through the package webgpu where that is installed; --tune-gpu finds the ' +
    'fastest shader for each of its products on the device at hand. Tables of them change times, never a byte.',
  argument: ['model', 'an ONNX file, or a compiled .wasm or .gpu'],
  options: ['plan', 'against', 'onnx', 'tiles', 'tuneGpu', 'out', ...SHAPE_OPTIONS],
  meanings: {
    plan: 'the plan of the program (default: made-up numbers with 8-bit activations)',
    batch: 'size of a symbolic first axis, or how many images a .gpu runs at once',
    out: 'where the table of --tune-gpu goes',
  },
  examples: [
    'bench model.wasm',
    'bench model.wasm --against onnxruntime-web --onnx model.onnx',
    'bench model.onnx --plan plan.json --json',
    'bench model.gpu --batch 8',
    'bench model.gpu --batch 8 --tune-gpu -o tiles.json',
  ],
  async run({ argument: path, options, isGiven, session }) {
    const bytes = await readModel(path)
    if (isGpuProgram(path, bytes)) {
      const { batch = 1, tiles, tuneGpu: tune = false, out } = options
      for (const name of ['plan', 'against', 'onnx', 'axis', 'bind', 'limits'] as const)
        if (isGiven(name))
          throw new DyadicError('usage', `${quoted(path)} is a GPU program; --${name} would change nothing`)
      if (out !== undefined && !tune)
        throw new DyadicError('usage', '--out is for the table of --tune-gpu, which is not given')
      return benchGpu({ path, bytes, batch, tiles, tune, out }, session)
    }
    for (const [name, flag] of GPU_OPTIONS)
      if (isGiven(name)) throw new DyadicError('usage', `${flag} is for .gpu programs; ${quoted(path)} is none`)
    if (isProgram(path, bytes)) {
      for (const name of ['plan', ...SHAPE_OPTIONS] as const)
        if (isGiven(name))
          throw new DyadicError('usage', `${quoted(path)} is a program; --${name} would change nothing`)
      return benchProgram({ path, bytes, against: peersOf(path, options, session.folder) }, session)
    }
    for (const name of ['against', 'onnx'] as const)
      if (isGiven(name)) throw new DyadicError('usage', `--${name} is for programs; compile ${quoted(path)} first`)
    const model = parseModel(path, bytes, options)
    if (model.unsupported.length > 0) throw unsupportedError(path, model.unsupported)
    const { compiled, filePlan, missing } = model.prepared
    const own = filePlan !== undefined && missing.length === 0 ? filePlan : undefined
    const plan = options.plan === undefined ? (own ?? (await nominalPlan(compiled))) : await readPlan(options.plan)
    const graph = about(path, () => lower(compiled, plan))
    const macs = macsOf(model, plan)
    const total = [...macs.values()].reduce((sum, count) => sum + count, 0)
    const { instructions, whole } = await timeGraph(graph, macs, session)
    return {
      json: {
        model: path,
        plan: options.plan ?? (own ? 'file' : 'nominal'),
        wholeMilliseconds: whole,
        macs: total,
        instructions: withRates(instructions),
      },
      text:
        `${quoted(path)}: one inference on this machine, one thread, medians\n` +
        fields([
          ['whole', `${milliseconds(whole)}, ${(total / whole / 1e6).toFixed(1)} GMAC/s`],
          ['one by one', `${milliseconds(summed(instructions))} in ${counted(instructions.length, 'instruction')}`],
        ]) +
        `\n${timesTable(instructions)}`,
    }
  },
}
