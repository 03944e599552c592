/**
 * The loss of a quantised network, value by value. *Accumulated*: the integer program's value against the float network's
 * on the same samples. *Local*: only this value is quantised, its weights and its own grid, on inputs of the float network.
 * Edits of the plan are tried on the local loss, so that what a recommendation promises has been computed.
 */
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import { takesStored } from '../evaluate/predictors.ts'
import type { Graph } from '../graph/graph.ts'
import { certify } from '../lower/certificate.ts'
import { lower } from '../lower/lower.ts'
import { hashText } from '../lower/print.ts'
import { emitProgram } from '../program/emit.ts'
import type { ProgramPort } from '../program/manifest.ts'
import { PAGE_BYTES } from '../program/module.ts'
import { checkSampleShape, realInput } from '../quantize/input.ts'
import { type Plan, printPlan } from '../quantize/plan.ts'
import { createFastExecutor } from '../reference/fast.ts'
import type { Comparison, ProgramFacts } from './comparison.ts'
import { ObservedValue } from './observed-value.ts'
import { addShadows } from './shadow-graph.ts'
import { summarise } from './summary.ts'
import { groupValues, storedValues, tappedProgram } from './tapped-program.ts'

export interface CompareOptions {
  /** Most samples to use (default all). */
  readonly limit?: number
  /** Called after each sample of each of the two passes. */
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** What is known about the program before anything runs. Throws as `lower`. */
function factsOf(graph: Graph, plan: Plan): { facts: ProgramFacts; names: string[] } {
  const integerGraph = lower(graph, plan)
  const { integerGraph: hash, headroomBits, largestAccumulator } = certify(integerGraph)
  const { memory, pages } = emitProgram(integerGraph)
  const facts: ProgramFacts = {
    plan: hashText(printPlan(plan)),
    origin: plan.origin,
    integerGraph: hash,
    headroomBits,
    largestAccumulator,
    ...memory,
    memoryBytes: pages * PAGE_BYTES,
  }
  return { facts, names: storedValues(graph, integerGraph) }
}

/**
 * Compares a fused graph with its plan on samples. Deterministic. Throws `refused` when samples do not fit the network,
 * `unsupported` for several inputs, and as `lower` when the plan does not.
 */
export async function compare(
  graph: Graph,
  plan: Plan,
  samples: DataSet,
  options: CompareOptions = {},
): Promise<Comparison> {
  const [inputName] = graph.inputs
  if (graph.inputs.length !== 1)
    throw new DyadicError(
      'unsupported',
      `the network has ${graph.inputs.length} inputs (${graph.inputs.slice(0, 8).map(quoted).join(', ')}); a comparison feeds one`,
    )
  const count = Math.min(samples.length, options.limit ?? samples.length)
  if (count === 0)
    throw new DyadicError('refused', `data set ${quoted(samples.name)} has no samples; give at least one`)
  checkSampleShape(inputName, graph.values.get(inputName)?.shape ?? [], samples)
  refuseForeignPlan(graph, plan)

  const { facts, names } = factsOf(graph, plan)
  const observed = new Map(names.map((name) => [name, new ObservedValue(graph, plan, name)]))
  const { graph: shadowed, roles } = addShadows(graph, (node) => observed.get(node.outputs[0])?.shadows() ?? [])
  // Flattened values are reported in ONNX order only where they are outputs.
  const flat = names.filter((name) => observed.get(name)?.shape.length !== 4 && !graph.inputs.includes(name))
  const executor = createFastExecutor({ ...shadowed, outputs: [...new Set([...graph.outputs, ...flat])] })
  const programs = groupValues(graph, names).map((group) => ({
    group: new Set(group),
    network: tappedProgram(graph, plan, group),
  }))
  const stored = takesStored(programs[0].network.inputs[0] as ProgramPort, samples)

  let done = 0
  const eachSample = async (visit: (input: Float32Array, codes: Sample, index: number) => void) => {
    for (let index = 0; index < count; index++) {
      options.signal?.throwIfAborted()
      const sample = await samples.read(index)
      const input = realInput(samples, sample)
      visit(input, stored ? sample : input, index)
      options.onProgress?.(++done, 2 * count)
    }
  }
  await eachSample((input, codes, index) => {
    for (const { group, network } of programs) {
      let name = inputName
      try {
        const integers = network.run({ [inputName]: codes })
        if (group.has(inputName)) observed.get(inputName)?.addValue(input, integers[inputName])
        executor.run(new Map([[inputName, input]]), (tapped, values) => {
          const shadow = roles.get(tapped)
          name = shadow?.layer ?? tapped
          if (!group.has(name)) return
          const value = observed.get(name)
          if (shadow?.role === 'float') value?.keepFloat(values)
          else if (shadow?.role === 'planned') value?.addPlanned(values)
          if (tapped === name) value?.addValue(values, integers[name])
        })
      } catch (cause) {
        // The rim throws plain errors, and only about inputs.
        throw cause instanceof DyadicError || name === inputName ? describe(samples, index, name, cause) : cause
      }
    }
  })
  for (const value of observed.values()) value.chooseTrials()
  await eachSample((input) => {
    executor.run(new Map([[inputName, input]]), (tapped, values) => {
      const shadow = roles.get(tapped)
      const value = observed.get(shadow?.layer ?? tapped)
      if (shadow === undefined) value?.tryValue(values)
      else if (shadow.role === 'float') value?.keepFloat(values)
      else value?.tryShadow(shadow.role, values)
    })
  })
  return summarise(graph, plan, observed, { data: samples.name, samples: count, program: facts })
}

type Sample = Awaited<ReturnType<DataSet['read']>>

/** A plan that names other values belongs to another model, or to another state of it. */
function refuseForeignPlan(graph: Graph, plan: Plan): void {
  const foreign = [...Object.keys(plan.tensors), ...Object.keys(plan.weights)].filter((name) => !graph.values.has(name))
  if (foreign.length > 0)
    throw new DyadicError(
      'refused',
      `the plan was made for ${quoted(plan.model)} and has entries for ${foreign.slice(0, 4).map(quoted).join(', ')}, which network ${quoted(graph.name)} has not; make the plan with this model`,
    )
}

/** Where a complaint about a value comes from. */
function describe(samples: DataSet, index: number, name: string, cause: unknown): DyadicError {
  return new DyadicError(
    'refused',
    `sample ${quoted(samples.describe(index))} of ${quoted(samples.name)}, value ${quoted(name)}: ${cause instanceof Error ? cause.message : cause}`,
    { cause },
  )
}
