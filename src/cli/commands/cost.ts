/** `dyadic cost`: parameters, MACs, BOPs and bytes of a network, per layer and in all, and the memory of its program. */
import { planBits, uniformBits } from '../../cost/bit-widths.ts'
import { countNetwork, type LayerCount, type NetworkCount } from '../../cost/count.ts'
import { nominalPlan, type ProgramMemory, programMemory } from '../../cost/program-memory.ts'
import { describeQuantity } from '../../cost/quantity.ts'
import { DyadicError, quoted } from '../../error.ts'
import type { CommandDescription } from '../command.ts'
import { counted, fields, integer, percent, table } from '../format.ts'
import { about, type OnnxModel, parseModel, readModel, SHAPE_OPTIONS } from '../model-file.ts'
import { readPlan } from '../plan-source.ts'

/** `nominal` stands for the formats of the default command, without anybody's numbers. */
type PlanSource = 'given' | 'file' | 'nominal'

type Memory = { readonly source: PlanSource; readonly program: ProgramMemory } | { readonly reason: string }

export const costCommand: CommandDescription<
  'weightsBits' | 'activationBits' | 'plan' | (typeof SHAPE_OPTIONS)[number]
> = {
  name: 'cost',
  summary: 'parameters, multiply-accumulates, bit operations and bytes, per layer and in all',
  description:
    'Counts an ONNX network after constants are folded and operators fused. Bit operations are MACs × bits of a weight × bits of ' +
    'an input. A network that cannot be compiled yet is counted too; the memory of its program is then unknown. --json has exact integers.',
  argument: ['model.onnx', 'the network'],
  options: ['weightsBits', 'activationBits', 'plan', ...SHAPE_OPTIONS],
  meanings: { plan: 'take the bits of every layer from a plan' },
  examples: [
    'cost model.onnx',
    'cost model.onnx --weights-bits 4 --activation-bits 8',
    'cost model.onnx --plan plan.json --json',
  ],
  async run({ argument: path, options, isGiven }) {
    if (options.plan !== undefined)
      for (const [name, flag] of [
        ['weightsBits', '--weights-bits'],
        ['activationBits', '--activation-bits'],
      ] as const)
        if (isGiven(name)) throw new DyadicError('usage', `--plan has all the bits; ${flag} would change nothing`)
    const { weightsBits = 8, activationBits = 8 } = options
    const model = parseModel(path, await readModel(path), options)
    const { compiled } = model.prepared
    const plan = options.plan === undefined ? undefined : await readPlan(options.plan)
    const bits = plan === undefined ? uniformBits(weightsBits, activationBits) : planBits(compiled, plan)
    const { layers, totals } = about(path, () => countNetwork(compiled, bits))
    const memory = await memoryOf(model, plan)

    const { parameters, weights, biases, otherParameters, macs, bops } = totals
    const widths =
      plan === undefined
        ? `weights ${counted(weightsBits, 'bit')}, values ${counted(activationBits, 'bit')}`
        : `bits of ${quoted(options.plan ?? '')}`
    const text =
      `${quoted(path)}: network ${quoted(compiled.name)}, ${widths}\n` +
      fields([
        [
          'parameters',
          `${describeQuantity(parameters)}: ${integer(weights)} weights, ${integer(biases)} biases, ${integer(otherParameters)} others`,
        ],
        ['MACs', `${describeQuantity(macs)}: ${integer(macs)} per inference`],
        ['BOPs', `${describeQuantity(bops)}: MACs × bits × bits`],
        [
          'weights',
          `${describeQuantity(totals.weightBytes, 'B')}, and ${describeQuantity(totals.biasBytes, 'B')} of biases`,
        ],
        ['values', `${describeQuantity(totals.activationBytes, 'B')} are written`],
        ['program', describeMemory(memory)],
      ]) +
      `\n${layerTable(layers, totals)}`
    return {
      json: {
        model: path,
        name: compiled.name,
        ...(plan === undefined ? { weightsBits, activationBits } : { plan: options.plan }),
        totals,
        layers,
        program: 'program' in memory ? { plan: memory.source, ...memory.program } : null,
        ...('reason' in memory && { programReason: memory.reason }),
        unsupported: model.unsupported,
      },
      text,
    }
  },
}

/** The memory of the program by the given plan, the file's own, or a nominal one. */
async function memoryOf(
  { prepared, unsupported }: OnnxModel,
  given: Parameters<typeof programMemory>[1] | undefined,
): Promise<Memory> {
  if (unsupported.length > 0) return { reason: `the network cannot be compiled yet: ${unsupported.join('; ')}` }
  const { compiled, filePlan, missing } = prepared
  const own = missing.length === 0 ? filePlan : undefined
  const source = given !== undefined ? 'given' : own !== undefined ? 'file' : 'nominal'
  try {
    return { source, program: programMemory(compiled, given ?? own ?? (await nominalPlan(compiled))) }
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    return { reason: error.message }
  }
}

function describeMemory(memory: Memory): string {
  if ('reason' in memory) return `memory unknown; ${memory.reason}`
  const { arenaBytes, constantBytes, memoryBytes } = memory.program
  const by = { given: 'by the plan', file: "by the file's own scales", nominal: 'at 8 bits' }[memory.source]
  return (
    `${describeQuantity(memoryBytes, 'B')} of memory ${by}: arena ${describeQuantity(arenaBytes, 'B')}, ` +
    `constants ${describeQuantity(constantBytes, 'B')}`
  )
}

function layerTable(layers: readonly LayerCount[], totals: NetworkCount['totals']): string {
  const head = ['layer', 'kind', 'output', 'parameters', 'MACs', 'share', 'bits', 'BOPs', 'weights', 'values']
  const quantities = (
    count: Pick<LayerCount, 'macs' | 'bops' | 'weightBytes' | 'biasBytes' | 'activationBytes'>,
    parameters: number,
    bits: string,
  ): string[] => [
    describeQuantity(parameters),
    describeQuantity(count.macs),
    totals.macs === 0 ? '' : percent(count.macs / totals.macs),
    bits,
    describeQuantity(count.bops),
    describeQuantity(count.weightBytes + count.biasBytes, 'B'),
    describeQuantity(count.activationBytes, 'B'),
  ]
  const rows = layers.map((layer) => [
    quoted(layer.name),
    layer.kind === 'other' ? layer.operator : layer.kind,
    `[${layer.outputShape.join(', ')}]`,
    ...quantities(
      layer,
      layer.weights + layer.biases + layer.otherParameters,
      layer.kind === 'other' ? '' : `${layer.weightBits} × ${layer.inputBits}`,
    ),
  ])
  rows.push(['all', '', '', ...quantities(totals, totals.parameters, '')])
  // Quantities end at the right, where their units are.
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column].length)))
  const aligned = (cells: readonly string[]): string[] =>
    cells.map((cell, column) => (column < 3 ? cell : cell.padStart(widths[column])))
  return table(aligned(head), rows.map(aligned))
}
