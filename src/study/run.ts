/** Runs a network under arithmetics over stored samples: scores of all, or of some, the same whoever computes which. */
import { DyadicError } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { checkSampleShape, realInput } from '../quantize/input.ts'
import { createFastExecutor } from '../reference/fast.ts'
import type { Arithmetic } from './arithmetic.ts'
import type { Statistics } from './observe.ts'
import { type ResolvedNetwork, resolveArithmetic } from './resolve.ts'
import { type StoredSamples, setOfSamples } from './samples.ts'

/** Everything that a run needs; all of it can be sent to another thread. */
export interface StudyInputs {
  /** Simplified and fused, with one float input and one output. */
  readonly graph: Graph
  readonly samples: StoredSamples
  /** Undefined where no value is rounded. */
  readonly statistics: Statistics | undefined
}

/** An arithmetic, ready to run. */
export interface StudyRun {
  readonly resolved: ResolvedNetwork
  /** Numbers of the output for one answer. */
  readonly classes: number
  /** The output for sample `index`: one row for each of its answers. */
  scores(index: number): Float32Array
}

/** Bits of the integers a data set stores; undefined for floats. */
export function storedBits({ elementType }: Pick<StoredSamples, 'elementType'>): number | undefined {
  return elementType === 'float32' ? undefined : 8
}

/** Prepares an arithmetic. Throws as `resolveArithmetic`, and `unsupported` for networks with several inputs or outputs. */
export function prepareRun({ graph, samples, statistics }: StudyInputs, arithmetic: Arithmetic): StudyRun {
  const [input, ...otherInputs] = graph.inputs
  const [output, ...otherOutputs] = graph.outputs
  if (input === undefined || output === undefined || otherInputs.length + otherOutputs.length > 0)
    throw new DyadicError(
      'unsupported',
      `the network has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs; a study runs networks with one of each`,
    )
  const set = setOfSamples(samples)
  checkSampleShape(input, graph.values.get(input)?.shape ?? [], set)
  const resolved = resolveArithmetic(graph, arithmetic, {
    ...(statistics && { statistics }),
    ...(storedBits(samples) !== undefined && { storedInputBits: storedBits(samples) as number }),
  })
  const { transforms, evaluations, products } = resolved
  const executor = createFastExecutor(resolved.graph, { transforms, evaluations, products })
  return {
    resolved,
    classes: elementCount(graph.values.get(output)?.shape ?? []) / samples.answers,
    scores: (index) => executor.run(new Map([[input, realInput(set, set.stored(index))]])).get(output) as Float32Array,
  }
}
