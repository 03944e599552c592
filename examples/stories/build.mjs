/** From the weights to two programs under one plan: the whole sequence at once, and one step with a cache. */
import { compile, makeGraph, quantize } from '../../dist/index.js'
import { tokenSet, writeTexts } from './calibration-text.mjs'
import { fullGraph, readCheckpoint, stepGraph } from './llama.mjs'
import { stepPlan } from './step-plan.mjs'

/** Sequences that the model writes for its calibration. */
const TEXTS = 16
const SEED = 1

/**
 * @param {Uint8Array} weights A llama2.c checkpoint.
 * @param {{ length: number, seed?: number, texts?: number } & import('../../dist/index.js').QuantizeOptions} options
 *   `length` is the most tokens of a sequence; the rest goes to `quantize`.
 */
export async function buildStories(weights, { length, seed = SEED, texts = TEXTS, ...options }) {
  const checkpoint = readCheckpoint(weights)
  if (!(length >= 2 && length <= checkpoint.sizes.context))
    throw new RangeError(`the model has a context of ${checkpoint.sizes.context} tokens; ${length} are asked for`)
  const description = stepGraph(checkpoint, length)
  const [full, step] = [makeGraph(fullGraph(checkpoint, length)), makeGraph(description)]
  const sequences = writeTexts(checkpoint, { count: texts, length, seed })
  const plan = await quantize(full, tokenSet('text of its own', sequences, length), options)
  return { checkpoint, full, step, plan, stepPlan: stepPlan(plan, description, step) }
}

/** The step program of {@link buildStories}. */
export function compileStep(stories) {
  return compile(stories.step, stories.stepPlan)
}
