/**
 * How much a layer minds having few bits, measured: one layer at a time takes a choice, all others stay as the plan has them,
 * and the whole program runs on held-back samples beside the float network. What has been measured is a record that can be
 * kept and gone on from; its key says for which network, plan and samples it holds.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import * as z from 'zod'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { hashText, hexadecimal } from '../lower/print.ts'
import { type Plan, printPlan } from '../quantize/plan.ts'
import { applyChoices, type BitChoice, choiceName, type Pins } from './bit-choice.ts'
import { instantiatePlan } from './instantiate-plan.ts'
import { measureLoss, type OutputLoss, type ReferenceOutputs } from './output-loss.ts'
import type { PerChoice } from './plan-layers.ts'
import { weightedNodes } from './sensitivity.ts'

const loss = { squaredError: z.number().min(0).finite(), divergence: z.number().min(0).finite() }

const schema = z.strictObject({
  schema: z.literal(1),
  kind: z.literal('dyadic-sensitivities'),
  /** SHA-256 over plan, weights, samples and the float network's outputs. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** The plan itself. */
  baseline: z.strictObject(loss),
  /** One layer changed, by output value and `choiceName`. */
  losses: z.array(z.strictObject({ layer: z.string().max(1024), choice: z.string().max(64), ...loss })),
})

/** What has been measured of one network, plan and set of samples. */
export type MeasuredSensitivities = z.infer<typeof schema>

export interface MeasureOptions {
  readonly choices: readonly BitChoice[]
  /** Layers that have no choice; they are not measured. */
  readonly pins?: Pins
  /** What an earlier, possibly interrupted run has measured; of another key it is not used. */
  readonly known?: MeasuredSensitivities
  /** Called after each measurement with everything measured so far; awaited. */
  readonly onMeasured?: (sofar: MeasuredSensitivities, done: number, total: number) => Promise<void> | void
  readonly signal?: AbortSignal
}

/** Measures every choice of every layer. Deterministic. Throws as `lower` when a choice cannot be compiled. */
export async function measureSensitivities(
  graph: Graph,
  plan: Plan,
  reference: ReferenceOutputs,
  { choices, pins, known, onMeasured, signal }: MeasureOptions,
): Promise<MeasuredSensitivities> {
  const key = keyOf(graph, plan, reference)
  const usable = known?.key === key ? known : undefined
  const lossOf = async (changed: Plan): Promise<OutputLoss> =>
    measureLoss(await instantiatePlan(graph, changed), reference)
  const baseline = usable?.baseline ?? (await lossOf(plan))
  const measured = new Map((usable?.losses ?? []).map((entry) => [entryKey(entry.layer, entry.choice), entry]))
  const record = (): MeasuredSensitivities => ({
    schema: 1,
    kind: 'dyadic-sensitivities',
    key,
    baseline,
    losses: [...measured.values()],
  })
  const free = weightedNodes(graph).filter(({ outputs: [layer] }) => !pins?.has(layer))
  const wanted = free.flatMap(({ outputs: [layer] }) =>
    choices.map((choice) => ({
      layer,
      choice: choiceName(choice),
      plan: applyChoices(graph, plan, new Map([[layer, choice]])),
    })),
  )
  const unknown = wanted.filter(({ layer, choice }) => !measured.has(entryKey(layer, choice)))
  for (const [done, { layer, choice, plan: changed }] of unknown.entries()) {
    signal?.throwIfAborted()
    const found = changed === plan ? baseline : await lossOf(changed)
    measured.set(entryKey(layer, choice), { layer, choice, ...found })
    await onMeasured?.(record(), wanted.length - unknown.length + done + 1, wanted.length)
  }
  // In the order of the network, whatever was measured first.
  const order = new Map(wanted.map(({ layer, choice }, index) => [entryKey(layer, choice), index]))
  const rank = (entry: { layer: string; choice: string }): number =>
    order.get(entryKey(entry.layer, entry.choice)) ?? order.size
  return { ...record(), losses: [...measured.values()].sort((a, b) => rank(a) - rank(b)) }
}

/** Ω by layer and bits: the loss of the choice less that of the layer's best choice; 0 where there is no choice. */
export function measuredOmega(
  { losses }: MeasuredSensitivities,
  layers: readonly string[],
  choices: readonly BitChoice[],
  measure: keyof OutputLoss,
  pins?: Pins,
): PerChoice {
  const found = new Map(losses.map((entry) => [entryKey(entry.layer, entry.choice), entry]))
  return new Map(
    layers.map((layer) => {
      const pinned = pins?.get(layer)
      if (pinned !== undefined) return [layer, new Map([[pinned.bits, 0]])]
      const values = choices.map((choice) => {
        const entry = found.get(entryKey(layer, choiceName(choice)))
        if (entry === undefined) throw new DyadicError('refused', `${choiceName(choice)} of a layer was never measured`)
        return entry[measure]
      })
      const best = Math.min(...values)
      return [layer, new Map(choices.map(({ bits }, i) => [bits, values[i] - best]))]
    }),
  )
}

/** A record from parsed JSON. Throws `refused` listing every wrong field by its path, and for a measurement that stands twice. */
export function parseSensitivities(json: unknown, where: string): MeasuredSensitivities {
  const { success, data, error } = schema.safeParse(json)
  if (!success) {
    const problems = error.issues
      .slice(0, 12)
      .map((issue) =>
        issue.code === 'unrecognized_keys'
          ? `unknown ${issue.keys.slice(0, 4).map(quoted).join(', ')}`
          : `${quoted(issue.path.join('.'))}: ${issue.message}`,
      )
    throw new DyadicError(
      'refused',
      `${where} is no record of measured sensitivities; delete it to measure again:\n  ${problems.join('\n  ')}`,
    )
  }
  const known = new Set<string>()
  data.losses.forEach(({ layer, choice }, index) => {
    if (known.has(entryKey(layer, choice)))
      throw new DyadicError(
        'refused',
        `${where} has two measurements of ${quoted(layer)} with ${quoted(choice)}, the second as losses.${index}; delete it to measure again`,
      )
    known.add(entryKey(layer, choice))
  })
  return data
}

/** The record as JSON, one measurement a line. */
export function printSensitivities({ losses, ...head }: MeasuredSensitivities): string {
  const text = JSON.stringify({ ...head, losses: [] }, null, 1)
  const lines = losses.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')
  return `${text.replace(/"losses": \[\]\n\}$/, () => `"losses": [\n${lines}\n ]\n}`)}\n`
}

/** SHA-256 of the losses of these choices in the order of the network: what an allocation was decided on. */
export function hashSensitivities(measured: MeasuredSensitivities, choices: readonly BitChoice[]): string {
  const names = new Set(choices.map(choiceName))
  return hashText(
    printSensitivities({ ...measured, losses: measured.losses.filter(({ choice }) => names.has(choice)) }),
  )
}

const entryKey = (layer: string, choice: string): string => JSON.stringify([layer, choice])

/** Names what a measurement depends on. Attributes of nodes show in the float network's outputs. */
function keyOf(graph: Graph, plan: Plan, { stored, outputs }: ReferenceOutputs): string {
  const hash = sha256.create().update(new TextEncoder().encode(printPlan(plan)))
  const add = (array: Uint8Array | Int8Array | Float32Array): void =>
    void hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  for (const constant of graph.constants.values()) add(constant.bytes)
  for (const sample of stored) add(sample)
  for (const values of outputs.values()) for (const array of values) add(array)
  return hexadecimal(hash.digest())
}
