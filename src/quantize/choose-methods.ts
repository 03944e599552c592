/**
 * The method `auto`: chains of methods are made on the first three quarters of the calibration samples and compared on the
 * last one, cheap ones first. A longer chain has to be better by a margin.
 */
import type { MethodContext } from './method.ts'
import { simulatedNearness } from './nearness.ts'
import type { Plan } from './plan.ts'
import { partOf } from './sample-parts.ts'

/** Gain that one more method has to bring, in decibels (or whatever a given score counts in). */
const MARGIN = 0.2
/** With fewer samples a quarter says nothing. */
const LEAST_SAMPLES = 16

/** The best plan; its `origin` has the chain and all scores. `run` applies a chain of methods. */
export async function chooseMethods(
  context: MethodContext,
  run: (chain: readonly string[], context: MethodContext) => Promise<Plan>,
): Promise<Plan> {
  const { graph, plan, samples, onNote } = context
  const count = Math.min(samples.length, context.limit)
  if (count < LEAST_SAMPLES) {
    onNote?.(`auto: ${count} samples are too few to compare methods (at least ${LEAST_SAMPLES}); none is applied`)
    return plan
  }
  const first = count - Math.floor(count / 4)
  const seen = partOf(samples, 0, first)
  const held = partOf(samples, first, count - first)
  const score = context.score ?? ((candidate: Plan, set) => simulatedNearness(graph, candidate, set))
  const scores: [string, number][] = []
  let best: { chain: readonly string[]; plan: Plan; score: number } = {
    ...{ chain: [], plan, score: await score(plan, held) },
  }
  scores.push(['none', best.score])
  /** Each method on top of what is best before; the winner of all is the new best. */
  const tryEach = async (names: readonly string[]): Promise<void> => {
    const base = best
    for (const name of names) {
      const made = await run([name], { ...context, samples: seen, limit: first, plan: base.plan })
      const chain = [...base.chain, name]
      const found = await score(made, held)
      scores.push([chain.join(','), found])
      if (found > best.score + (best === base ? MARGIN : 0)) best = { chain, plan: made, score: found }
    }
  }
  await tryEach(['equalize', 'migrate'])
  await tryEach(['weights-mse'])
  const narrow = Object.values(plan.weights).some(({ format }) => format !== 's8' && format !== 'u8')
  // With 8 bits rounding up or down is worth little of the minutes that learning it takes.
  await tryEach(narrow ? ['gptq', 'adaround'] : ['gptq'])
  await tryEach(['bias-correction'])
  const named = best.chain.join(',') || 'no method'
  onNote?.(
    `auto: ${named}, ${best.score.toFixed(2)} dB on ${held.length} held-back samples; tried ${scores
      .map(([name, value]) => `${name} ${value.toFixed(2)}`)
      .join(', ')}${narrow ? '' : ' (adaround is tried with fewer than 8 bits)'}`,
  )
  return {
    ...best.plan,
    origin: {
      ...best.plan.origin,
      methods: [...best.chain],
      auto: {
        samples: held.length,
        scores: Object.fromEntries(scores.map(([name, value]) => [name, Number(value.toFixed(3))])),
      },
    },
  }
}
