/** From `--calibrate` to samples: one DATA for a network of one input, name=DATA for each input of one with several. */
import { alignSets, type Samples } from '../data/aligned-sets.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { checkSampleShape } from '../quantize/input.ts'
import type { StatePair } from '../quantize/plan.ts'
import { openData } from './data-argument.ts'
import type { Session } from './session.ts'

/**
 * The samples of a network whose states are carried from step to step and need none. Throws `usage` where inputs and names do
 * not match, `refused` for data that do not fit.
 */
export async function openCalibration(
  argument: string,
  graph: Graph,
  states: readonly StatePair[],
  session: Session,
): Promise<Samples> {
  const carried = new Set(states.map(({ input }) => input))
  const inputs = graph.inputs.filter((name) => !carried.has(name))
  const shapeOf = (name: string): readonly number[] => graph.values.get(name)?.shape ?? []
  const open = async (path: string, input: string) => {
    const set = await openData(path, shapeOf(input).slice(1), session)
    checkSampleShape(input, shapeOf(input), set)
    return set
  }
  if (graph.inputs.length === 1) return open(argument, graph.inputs[0])
  const given = inputs.length === 1 && !argument.includes('=') ? [[inputs[0], argument]] : parts(argument)
  const names = given.map(([name]) => name)
  const wanted = inputs.map(quoted).join(', ')
  if (names.length !== inputs.length || !inputs.every((name) => names.includes(name)))
    throw new DyadicError(
      'usage',
      `--calibrate names ${names.length > 0 ? names.map(quoted).join(', ') : 'no input'}; the network reads ${wanted}${carried.size > 0 ? ` beside its states ${[...carried].map(quoted).join(', ')}` : ''}: write --calibrate ${inputs.map((name) => `${name}=DATA`).join(',')}, and --state input=output for what the network carries from step to step`,
    )
  const sets = new Map<string, Awaited<ReturnType<typeof openData>>>()
  for (const [name, path] of given) sets.set(name, await open(path, name))
  return alignSets(sets)
}

/** name=DATA, separated by commas. */
function parts(argument: string): [string, string][] {
  return argument.split(',').flatMap((part): [string, string][] => {
    const at = part.indexOf('=')
    return at < 1 ? [] : [[part.slice(0, at), part.slice(at + 1)]]
  })
}
