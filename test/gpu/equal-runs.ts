/** Runs of a graph with one output, on the plain level, that must equal the scalar meaning, integer for integer. */
import { expect } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import type { IntegerGraph } from '../../src/lower/integer-graph.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { load } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

/** Runs one batch of samples, each the codes of all inputs in order; gives what the scalar meaning does. */
export async function expectEqualRuns(
  device: GPUDevice,
  graph: IntegerGraph,
  samples: readonly (readonly IntegerArray[])[],
): Promise<Int32Array> {
  const named = samples.map((sample) => new Map(sample.map((codes, i) => [graph.inputs[i].name, codes])))
  const expected = Int32Array.from(
    named.flatMap((sample) => [...(interpret(graph, sample).get(graph.outputs[0].name) as Int32Array)]),
  )
  const program = writeGpuProgram(emitGpuProgram(graph))
  const network = await load(program, { gpu: dawn(), device, batch: samples.length, level: 'plain' })
  const inputs = graph.inputs.map(({ name }, port) => {
    const [first] = samples as [readonly Int32Array[]]
    const all = new (first[port].constructor as Int32ArrayConstructor)(samples.length * first[port].length)
    for (const [i, sample] of samples.entries()) all.set(sample[port] as Int32Array, i * first[port].length)
    return [name, all as IntegerArray] as const
  })
  const { [graph.outputs[0].name]: found } = await network.runInteger(Object.fromEntries(inputs))
  network.destroy()
  const wrong = expected.findIndex((value, i) => value !== found[i])
  expect(wrong < 0 ? '' : `${graph.name} at ${wrong}: ${found[wrong]} instead of ${expected[wrong]}`).toBe('')
  expect(found.length).toBe(expected.length)
  return expected
}
