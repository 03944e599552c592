/**
 * Samples of a network with state, whose output of one step is an input of the next: the float network runs over every
 * sequence once, and the states that it meets become data like any other. After that every sample stands for itself, and they
 * come in another order, for methods that look at the first few.
 */
import type { AlignedSets, Samples } from '../data/aligned-sets.ts'
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { inputSets, realInput } from './input.ts'
import type { StatePair } from './plan.ts'
import { chosenFrom, isAligned } from './sample-parts.ts'

export interface SequenceOptions {
  /** Which output is which input's next value. */
  readonly states?: readonly StatePair[]
  /** Samples of one sequence, in a row; at the start of each the states are zero (default: all samples are one sequence). */
  readonly sequence?: number
  /** Most samples to use (default all). */
  readonly samples?: number
}

/**
 * The samples with data for the state inputs too; as they are where there are no states or the data have them already. Throws
 * `refused` for states that the network does not have and inputs without data, `usage` for a sequence of no samples.
 */
export async function carryStates(graph: Graph, samples: Samples, options: SequenceOptions): Promise<Samples> {
  const { states = [], sequence = Number.POSITIVE_INFINITY } = options
  if (states.length === 0) return samples
  for (const pair of states) checkState(graph, pair)
  if (!(sequence >= 1)) throw new DyadicError('usage', `sequences have ${sequence} samples; give at least 1`)
  const given = isAligned(samples) ? samples : alone(graph, samples, states)
  const open = states.filter(({ input }) => !given.inputs.has(input))
  if (open.length === 0) return given
  const fed = graph.inputs.filter((name) => !open.some(({ input }) => input === name))
  const own = inputSets({ ...graph, inputs: fed }, given)
  const count = Math.min(given.length, options.samples ?? given.length)
  const zeros = new Map(
    open.map(({ input }) => [input, new Float32Array(elementsOf(graph.values.get(input)?.shape ?? []))]),
  )
  const met = new Map(open.map(({ input }): [string, Float32Array[]] => [input, []]))
  const executor = createFastExecutor(graph)
  let current: ReadonlyMap<string, Float32Array> = zeros
  for (let index = 0; index < count; index++) {
    if (index % sequence === 0) current = zeros
    for (const [input, values] of current) met.get(input)?.push(values)
    const inputs = new Map(current)
    for (const [name, set] of own) inputs.set(name, realInput(set, await set.read(index)))
    const outputs = executor.run(inputs)
    current = new Map(open.map(({ input, output }) => [input, (outputs.get(output) as Float32Array).slice()]))
  }
  const order = spread(count)
  const sets = new Map([...own].map(([name, set]): [string, DataSet] => [name, chosenFrom(set, order)]))
  for (const [input, values] of met) {
    const shape = graph.values.get(input)?.shape ?? []
    sets.set(input, chosenFrom(realSet(given.name, shape, values), order))
  }
  return { name: given.name, length: count, inputs: sets, describe: (index) => given.describe(order[index]) }
}

/** Real numbers as a data set. */
function realSet(name: string, shape: readonly number[], values: readonly Float32Array[]): DataSet {
  return {
    ...{ name, length: values.length, elementType: 'float32', shape, channelAxis: 0, scale: [1], offset: [0] },
    label: () => undefined,
    read: async (index) => values[index],
    describe: (index) => String(index),
  }
}

/** All indices below `count` in steps of the golden section, so that the first few are from everywhere. */
function spread(count: number): number[] {
  const coprime = (a: number, b: number): boolean => (b === 0 ? a === 1 : coprime(b, a % b))
  let step = Math.max(1, Math.round(count * 0.618))
  while (!coprime(count, step)) step++
  return Array.from({ length: count }, (_, index) => (index * step) % count)
}

/** One set as that of the only input that is no state. */
function alone(graph: Graph, samples: DataSet, states: readonly StatePair[]): AlignedSets {
  const others = graph.inputs.filter((name) => !states.some(({ input }) => input === name))
  if (others.length !== 1)
    throw new DyadicError(
      'unsupported',
      `the network has ${others.length} inputs beside its states (${others.slice(0, 8).map(quoted).join(', ')}), and ${quoted(samples.name)} feeds one; give a data set for each input by its name`,
    )
  const { name, length } = samples
  return { name, length, inputs: new Map([[others[0], samples]]), describe: (index) => samples.describe(index) }
}

/** Throws `refused` where a pair names no input and output of one shape. */
function checkState(graph: Graph, { input, output }: StatePair): void {
  const refuse = (reason: string): never => {
    throw new DyadicError('refused', `state ${quoted(input)} ← ${quoted(output)}: ${reason}`)
  }
  if (!graph.inputs.includes(input))
    refuse(`the network has no such input; it has ${graph.inputs.slice(0, 8).map(quoted).join(', ')}`)
  if (!graph.outputs.includes(output))
    refuse(`the network has no such output; it has ${graph.outputs.slice(0, 8).map(quoted).join(', ')}`)
  const [wanted, found] = [input, output].map((name) => graph.values.get(name)?.shape ?? [])
  if (String(wanted) !== String(found)) refuse(`the input has shape [${wanted}], the output [${found}]`)
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
