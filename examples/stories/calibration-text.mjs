/**
 * What the model is calibrated on: text that it writes itself, in floats, with seeded chance. No other text of its kind is
 * needed, and none that it is judged on is seen.
 */
import { createFastExecutor, makeGraph, prepare } from '../../dist/index.js'
import { stepGraph } from './llama.mjs'
import { BEGIN } from './tokenizer.mjs'

/** Above 1 the model raves, far below it repeats itself. */
const TEMPERATURE = 0.8

/** Numbers in [0, 1) from a seed. */
function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `count` sequences of `length` token ids. */
export function writeTexts(checkpoint, { count, length, seed }) {
  const { layers, keyHeads, head } = checkpoint.sizes
  const executor = createFastExecutor(prepare(makeGraph(stepGraph(checkpoint, length))).float)
  const row = keyHeads * head
  const draw = chance(seed)
  return Array.from({ length: count }, () => {
    const caches = new Map()
    for (let layer = 0; layer < layers; layer++)
      for (const kind of ['keys', 'values']) caches.set(`${kind}.${layer}`, new Float32Array(length * row))
    const ids = [BEGIN]
    while (ids.length < length) {
      const position = ids.length - 1
      const inputs = { tokens: Float32Array.of(ids[position]), position: Float32Array.of(position) }
      const outputs = executor.run(new Map([...Object.entries(inputs), ...caches]))
      for (let layer = 0; layer < layers; layer++) {
        caches.get(`keys.${layer}`).set(outputs.get(`layers.${layer}.key`), position * row)
        caches.get(`values.${layer}`).set(outputs.get(`layers.${layer}.value`), position * row)
      }
      ids.push(pick(outputs.get('logits'), draw()))
    }
    return ids
  })
}

/** The token at which the running sum of probabilities passes `share`. */
function pick(logits, share) {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  const weights = Array.from(logits, (logit) => Math.exp((logit - largest) / TEMPERATURE))
  let rest = share * weights.reduce((sum, weight) => sum + weight, 0)
  const found = weights.findIndex((weight) => {
    rest -= weight
    return rest < 0
  })
  return found < 0 ? weights.length - 1 : found
}

/** Sequences of token ids as a data set, one sequence a sample. */
export function tokenSet(name, sequences, length) {
  return {
    ...{
      name,
      length: sequences.length,
      elementType: 'float32',
      shape: [length],
      channelAxis: 0,
      scale: [1],
      offset: [0],
    },
    label: () => undefined,
    read: async (index) => Float32Array.from({ length }, (_, i) => sequences[index][i] ?? 0),
    describe: (index) => `sequence ${index}`,
  }
}
