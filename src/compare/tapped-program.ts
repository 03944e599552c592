/**
 * The integer program with every stored value as an output: the same integers by the same kernels as the program that is
 * deployed, only that nothing is thrown away. Values are split into groups, each a program, so that memory stays bounded.
 */
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import type { IntegerGraph, Port } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { emitProgram } from '../program/emit.ts'
import { link } from '../program/link.ts'
import { portsOf } from '../program/manifest.ts'
import type { Plan } from '../quantize/plan.ts'
import type { Network } from '../runtime/index.ts'
import { makeNetwork } from '../runtime/network.ts'

/** Most elements of all outputs of one program: real values take four bytes each. */
const LARGEST_GROUP = 2 ** 25

/** Values of the graph that the integer graph stores, in the order in which they are computed: inputs first. */
export function storedValues(graph: Graph, { tensors }: Pick<IntegerGraph, 'tensors'>): string[] {
  const stored = new Set(tensors.map(({ name }) => name))
  return [...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)].filter((name) => stored.has(name))
}

/** Values in groups of at most `largest` elements, in order; a value that is larger makes a group of its own. */
export function groupValues(graph: Graph, names: readonly string[], largest = LARGEST_GROUP): string[][] {
  const groups: string[][] = []
  let room = 0
  for (const name of names) {
    const count = elementCount(graph.values.get(name)?.shape ?? [])
    if (groups.length === 0 || count > room) {
      groups.push([])
      room = largest
    }
    groups.at(-1)?.push(name)
    room -= count
  }
  return groups
}

/** A port with as many scales as zero points: a network input may have one scale and a zero point per channel. */
function evened(port: Port): Port {
  const count = Math.max(port.scale.length, port.zeroPoint.length)
  const each = (list: readonly number[]): number[] =>
    Array.from({ length: count }, (_, c) => list[list.length > 1 ? c : 0])
  return { ...port, scale: each(port.scale), zeroPoint: each(port.zeroPoint) }
}

/** A program whose outputs are these values, real numbers in ONNX order, and which takes its inputs in that order, too. Throws as `lower` and `emitProgram`. */
export function tappedProgram(graph: Graph, plan: Plan, names: readonly string[]): Network {
  // Samples come in ONNX order, whatever the callers of the deployed program hand over.
  const inputs = Object.entries(plan.inputs).map(([name, input]) => [name, { ...input, layout: 'nchw' as const }])
  const integerGraph = lower({ ...graph, outputs: names }, { ...plan, inputs: Object.fromEntries(inputs) })
  const { start, run, data, pages, inputOffsets, outputOffsets } = emitProgram(integerGraph)
  const bytes = link(embeddedBytes(kernelBytes), { start, run, data, pages, customSections: [] })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource))
  const { memory, run: execute } = instance.exports
  return makeNetwork(
    {
      schema: 1,
      name: integerGraph.name,
      inputs: portsOf(integerGraph.inputs, inputOffsets),
      outputs: portsOf(integerGraph.outputs.map(evened), outputOffsets),
    },
    (memory as WebAssembly.Memory).buffer,
    execute as () => void,
  )
}
