/** Compiled programs of integer graphs compared with the scalar meaning, byte for byte. */
import { expect } from 'vitest'
import type { IntegerTensor } from '../lower/integer-graph.ts'
import { interpret } from '../program/interpret.ts'
import { loadGraph, type Random, randomInputs, runNetwork } from '../program/program.fixture.ts'
import type { GraphBuilder } from '../program/random-graph.fixture.ts'

/** Builds, runs twice on different inputs and once more on the first, and compares each run with the scalar meaning. */
export function compareProgram(builder: GraphBuilder, random: Random): void {
  const graph = builder.graph()
  const network = loadGraph(graph)
  const [first, second] = [randomInputs(graph, random), randomInputs(graph, random)]
  for (const inputs of [first, second, first]) {
    const expected = interpret(graph, inputs)
    const found = runNetwork(network, inputs)
    for (const [name, values] of expected) {
      const actual = found.get(name)
      if (actual?.constructor !== values.constructor || actual.some((value, i) => value !== values[i]))
        expect(actual).toEqual(values)
    }
  }
}

/** Whether the sample has many different values for its clamp interval: kernels that differ could hide in saturation. */
export function isFilled(builder: GraphBuilder, output: IntegerTensor): boolean {
  const values = builder.sample(output)
  const wanted = Math.min(48, (output.range.high - output.range.low) / 2, values.length / 4)
  return new Set(values).size >= Math.floor(wanted)
}
