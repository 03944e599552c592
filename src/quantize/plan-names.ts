/**
 * Whether a plan speaks of the network that it is given for: every entry names something of the graph. An entry for a name
 * that the graph lacks would do nothing, which is what a mistyped name must not do.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from './plan.ts'

/** Names listed in one message. */
const LISTED = 6
/** Letters that may differ between a wrong name and the one that was meant. */
const MOST_EDITS = 4

/** Throws `refused` with the entries whose names the graph does not have, and the nearest names that it has. */
export function checkPlanNames(graph: Graph, plan: Plan): void {
  const layers = new Set(graph.nodes.map((node) => node.outputs[0]))
  const inputs = new Set(graph.inputs)
  const states = plan.states ?? []
  const parts: [part: string, names: Iterable<string>, known: ReadonlySet<string> | Graph['values']][] = [
    ['inputs', Object.keys(plan.inputs), inputs],
    ['tensors', Object.keys(plan.tensors), graph.values],
    ['weights', Object.keys(plan.weights), layers],
    ['biases', Object.keys(plan.biases ?? {}), layers],
    ['states', states.map(({ input }) => input), inputs],
    ['states', states.map(({ output }) => output), new Set(graph.outputs)],
  ]
  const problems: string[] = []
  let count = 0
  for (const [part, names, known] of parts)
    for (const name of names) {
      if (known.has(name) || ++count > LISTED) continue
      const near = nearest(name, known.keys())
      problems.push(`${part} ${quoted(name)}${near === undefined ? '' : `, where ${quoted(near)} may be meant`}`)
    }
  if (count > 0)
    throw new DyadicError(
      'refused',
      `the plan has entries for names that the network does not have: ${problems.join('; ')}` +
        `${count > LISTED ? `; and ${count - LISTED} more` : ''}; correct the names or make the plan with this model`,
    )
}

/** The known name with the fewest letters to change, up to {@link MOST_EDITS}; the first of several. */
function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = MOST_EDITS + 1
  for (const candidate of known) {
    const edits = countEdits(name, candidate, least - 1)
    if (edits < least) {
      best = candidate
      least = edits
    }
  }
  return best
}

/**
 * Letters to add, drop or change between two texts, as far as `most`; `most + 1` for all beyond. Only places within `most`
 * of each other are compared, so the work grows with the length of the text and not with its square.
 */
function countEdits(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = new Array<number>(b.length + 1).fill(most + 1)
    if (i <= most) next[0] = i
    let best = next[0]
    for (let j = Math.max(1, i - most); j <= Math.min(b.length, i + most); j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1)
      best = Math.min(best, next[j])
    }
    if (best > most) return most + 1
    row = next
  }
  return Math.min(row[b.length], most + 1)
}
