/**
 * The plan of the step program, made of the plan of the whole sequence: every value that both have keeps its numbers, and the
 * few that only the step has get those that make its integers the same.
 *
 * - The caches and what is joined to them have the grid of the keys and values that are written into them.
 * - Rows of sines and cosines have the grid that the compiler gives the same numbers where they are constants: 16 bits over
 *   the largest of them.
 * - A row of the mask is as far below zero as takes any score to the lowest code. Scores before and after the mask share one
 *   grid, so that adding nothing changes nothing.
 */
import { prepare } from '../../dist/index.js'

/** Largest code of 16 bits. */
const MOST = 32767
/** Codes of a score that the mask moves at the most: from the highest to the lowest. */
const REACH = 65536

/**
 * @param {import('../../dist/index.js').Plan} plan Of the full graph.
 * @param {ReturnType<typeof import('./llama.mjs').stepGraph>} description
 * @param {import('../../dist/index.js').Graph} graph The step graph that the description makes.
 * @returns {import('../../dist/index.js').Plan}
 */
export function stepPlan(plan, description, graph) {
  const { compiled } = prepare(graph)
  const layers = description.inputs.filter(({ name }) => name.startsWith('keys.')).length
  const indices = { format: 's32', scale: [1], zeroPoint: [0], layout: 'nchw' }
  const inputs = { tokens: indices, position: indices }
  const tensors = { ...plan.tensors }
  for (let layer = 0; layer < layers; layer++)
    for (const [cache, own, source] of [
      ['keys', 'key', 'key:turned'],
      ['values', 'value', 'wv'],
    ]) {
      const { format, scale, zeroPoint } = plan.tensors[`layers.${layer}.${source}`]
      inputs[`${cache}.${layer}`] = { format, scale: [scale], zeroPoint: [zeroPoint], layout: 'nchw' }
      tensors[`layers.${layer}.${own}:all`] = { format, scale, zeroPoint }
    }
  for (const name of ['cosines', 'sines']) {
    const largest = description.constants[`${name}:table`].data.reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      0,
    )
    tensors[`${name}:row`] = { format: 's16', scale: largest / MOST, zeroPoint: 0 }
  }
  const scores = Object.entries(plan.tensors).flatMap(([name, { scale }]) => (name.endsWith('.scores') ? [scale] : []))
  tensors['mask:row'] = { format: 's16', scale: (Math.max(...scores) * REACH) / MOST, zeroPoint: 0 }
  const made = new Set(compiled.nodes.flatMap(({ outputs }) => outputs))
  return {
    ...plan,
    model: graph.name,
    inputs,
    tensors: Object.fromEntries(Object.entries(tensors).filter(([name]) => made.has(name))),
  }
}
