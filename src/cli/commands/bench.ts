/** `dyadic bench`: how long a program takes on this machine, and where. */
import { planBits } from '../../cost/bit-widths.ts'
import { countNetwork } from '../../cost/count.ts'
import { nominalPlan } from '../../cost/program-memory.ts'
import { DyadicError, quoted } from '../../error.ts'
import { lower } from '../../lower/lower.ts'
import type { Plan } from '../../quantize/plan.ts'
import { type InstructionTime, type ProgramTimes, timeProgram } from '../../search/instruction-times.ts'
import { medianTime } from '../../search/layer-times.ts'
import type { CommandDescription, CommandResult } from '../command.ts'
import { counted, fields, integer, milliseconds, percent, table } from '../format.ts'
import {
  about,
  isProgram,
  type OnnxModel,
  openProgram,
  parseModel,
  readModel,
  SHAPE_OPTIONS,
  unsupportedError,
} from '../model-file.ts'
import { readPlan } from '../plan-source.ts'
import type { Session } from '../session.ts'

type Option = 'plan' | (typeof SHAPE_OPTIONS)[number]

/** A program as a file: one inference from stored integers, and one from and to reals. */
function benchProgram(path: string, bytes: Uint8Array, { clock }: Session): CommandResult {
  const { network } = openProgram(path, bytes)
  const stored = Object.fromEntries(
    network.inputs.map(({ name, format, count }) => [
      name,
      { u8: new Uint8Array(count), s8: new Int8Array(count), s16: new Int16Array(count), s32: new Int32Array(count) }[
        format
      ],
    ]),
  )
  const reals = Object.fromEntries(network.inputs.map(({ name, count }) => [name, new Float32Array(count)]))
  const integers = medianTime(() => void network.runInteger(stored), clock)
  const rim = medianTime(() => void network.run(reals), clock)
  return {
    json: { model: path, integerMilliseconds: integers, realMilliseconds: rim },
    text:
      `${quoted(path)}: one inference on this machine, one thread, medians\n` +
      fields([
        ['integers', milliseconds(integers)],
        ['reals', `${milliseconds(rim)}, with the conversion on both sides`],
        ['layers', 'not in the file; `dyadic bench model.onnx --plan plan.json` times them one by one'],
      ]),
  }
}

/** Multiply-accumulates by the value that a layer makes. */
function macsOf({ prepared: { compiled } }: OnnxModel, plan: Plan): ReadonlyMap<string, number> {
  const { layers } = countNetwork(compiled, planBits(compiled, plan))
  return new Map(layers.map(({ name, macs }) => [name, macs]))
}

/** Multiply-accumulates of an instruction; an export bears the name of the value that it hands over, and multiplies nothing. */
function workOf({ name, kind }: Pick<InstructionTime, 'name' | 'kind'>, macs: ReadonlyMap<string, number>): number {
  return kind === 'convolution' || kind === 'depthwise' ? (macs.get(name) ?? 0) : 0
}

function timesTable({ instructions }: ProgramTimes, macs: ReadonlyMap<string, number>): string {
  const all = instructions.reduce((sum, { milliseconds: time }) => sum + time, 0)
  const rows = [...instructions]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map(({ name, kind, kernels, milliseconds: time }) => {
      const count = workOf({ name, kind }, macs)
      return [
        quoted(name),
        kind,
        kernels.join(', '),
        time.toFixed(4),
        percent(all === 0 ? 0 : time / all),
        count > 0 ? integer(count) : '',
        count > 0 && time > 0 ? (count / time / 1e6).toFixed(1) : '',
      ]
    })
  return table(['value', 'instruction', 'kernels', 'ms', 'share', 'MACs', 'GMAC/s'], rows)
}

export const benchCommand: CommandDescription<Option> = {
  name: 'bench',
  summary: 'how long a program takes on this machine, layer by layer',
  description:
    'Times a program: of an ONNX file each instruction alone and the whole, slowest first, with its kernels and its ' +
    'multiply-accumulates per second; of a .wasm one inference, with and without the conversion of reals. Times hardly depend on ' +
    'the numbers of a plan: without --plan, made-up ones of the default formats are taken. One thread, medians.',
  argument: ['model', 'an ONNX file, or a compiled .wasm'],
  options: ['plan', ...SHAPE_OPTIONS],
  meanings: { plan: 'the plan of the program (default: made-up numbers with 8-bit activations)' },
  examples: ['bench model.onnx --plan plan.json', 'bench model.wasm --json'],
  async run({ argument: path, options, session }) {
    const bytes = await readModel(path)
    if (isProgram(path, bytes)) {
      if (options.plan !== undefined)
        throw new DyadicError('usage', `${quoted(path)} is a program; --plan would change nothing`)
      return benchProgram(path, bytes, session)
    }
    const model = parseModel(path, bytes, options)
    if (model.unsupported.length > 0) throw unsupportedError(path, model.unsupported)
    const { compiled, filePlan, missing } = model.prepared
    const own = filePlan !== undefined && missing.length === 0 ? filePlan : undefined
    const plan = options.plan === undefined ? (own ?? (await nominalPlan(compiled))) : await readPlan(options.plan)
    const graph = about(path, () => lower(compiled, plan))
    session.progress.begin('time')
    const times = await timeProgram(graph, session.clock, (done, total) => session.progress.update(done, total))
    session.progress.end()
    const macs = macsOf(model, plan)
    const total = [...macs.values()].reduce((sum, count) => sum + count, 0)
    const sum = times.instructions.reduce((all, { milliseconds: time }) => all + time, 0)
    return {
      json: {
        model: path,
        plan: options.plan ?? (own ? 'file' : 'nominal'),
        wholeMilliseconds: times.whole,
        macs: total,
        instructions: times.instructions.map((one) => ({ ...one, macs: workOf(one, macs) })),
      },
      text:
        `${quoted(path)}: one inference on this machine, one thread, medians\n` +
        fields([
          ['whole', `${milliseconds(times.whole)}, ${(total / times.whole / 1e6).toFixed(1)} GMAC/s`],
          ['one by one', `${milliseconds(sum)} in ${counted(times.instructions.length, 'instruction')}`],
        ]) +
        `\n${timesTable(times, macs)}`,
    }
  },
}
