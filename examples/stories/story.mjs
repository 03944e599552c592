/** Text from the step program: integers in, integers out. The cache is the host's, and its size never changes. */
import { BEGIN } from './tokenizer.mjs'

/** How `runInteger` wants the integers of a port. */
const ARRAYS = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array }

/**
 * A story under way. `next(token)` takes the token at the next position and gives the logits' codes behind it; at the end of
 * the context it throws.
 * @param {import('../../dist/runtime/index.js').Network} network The loaded step program.
 */
export function beginStory(network) {
  const caches = network.manifest.inputs.filter(({ name }) => /^(keys|values)\./.test(name))
  const context = caches[0].shape[1]
  const state = new Map(
    caches.map(({ name, shape, format }) => [
      name,
      new ARRAYS[format](shape.reduce((product, size) => product * size)),
    ]),
  )
  let position = 0
  return {
    context,
    next(token) {
      if (position === context) throw new RangeError(`the program was compiled for ${context} tokens; none is left`)
      const outputs = network.runInteger({
        tokens: Int32Array.of(token),
        position: Int32Array.of(position),
        ...Object.fromEntries(state),
      })
      for (const [name, cache] of state) {
        const [kind, layer] = name.split('.')
        const row = outputs[`layers.${layer}.${kind.slice(0, -1)}`]
        cache.set(row, position * row.length)
      }
      position++
      return outputs.logits
    },
  }
}

/** The index of the largest code, the first of equals. */
export function best(codes) {
  let found = 0
  for (let i = 1; i < codes.length; i++) if (codes[i] > codes[found]) found = i
  return found
}

/**
 * Token ids of the most likely text behind a prompt, one by one, up to `length` with the prompt or the end of the story.
 * Throws a `RangeError` for a length that the program was not compiled for, and for a prompt that is longer.
 * @param {import('../../dist/runtime/index.js').Network} network @param {readonly number[]} prompt @param {number} length
 */
export function* tellStory(network, prompt, length) {
  const story = beginStory(network)
  if (length > story.context)
    throw new RangeError(`a story of ${length} tokens is asked for; the program was compiled for ${story.context}`)
  if (prompt.length > length)
    throw new RangeError(`the prompt has ${prompt.length} tokens; ${length} are all that the story may have`)
  let logits
  for (const token of prompt) {
    logits = story.next(token)
    yield token
  }
  for (let told = prompt.length; told < length; told++) {
    const token = best(logits)
    if (token === BEGIN) return
    yield token
    logits = story.next(token)
  }
}
