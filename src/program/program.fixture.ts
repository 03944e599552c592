/** Integer graphs as loaded programs, and random numbers for the tests that run them. */
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import type { IntegerGraph, PortFormat } from '../lower/integer-graph.ts'
import type { Interval } from '../num/interval.ts'
import { randomUint32 } from '../num/random.ts'
import { loadSync, type Network } from '../runtime/index.ts'
import { emitProgram } from './emit.ts'
import type { IntegerArray } from './interpret.ts'
import { link } from './link.ts'
import { portsOf } from './manifest.ts'
import { seal } from './seal.ts'

export interface Random {
  /** An integer in [low, high]. */
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
  bytes(count: number): Uint8Array
}

/** Numbers that depend on the seed alone. */
export function createRandom(seed: number): Random {
  let counter = 0
  const word = (): number => randomUint32(seed, 0, counter++)
  const between = (low: number, high: number): number => low + Math.floor((word() / 2 ** 32) * (high - low + 1))
  return {
    between,
    chance: (probability) => word() < probability * 2 ** 32,
    pick: (items) => items[between(0, items.length - 1)] as (typeof items)[number],
    bytes: (count) => Uint8Array.from({ length: count }, () => word() >>> 24),
  }
}

/** Random codes of a port, over the whole range of its format or those given. */
export function randomCodes(format: PortFormat, count: number, random: Random, range?: Interval): IntegerArray {
  if (range !== undefined) {
    const codes = new { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array }[format](count)
    return codes.map(() => random.between(range.low, range.high))
  }
  if (format === 's32') return Int32Array.from({ length: count }, () => random.between(-(2 ** 31), 2 ** 31 - 1))
  if (format === 's16') return Int16Array.from({ length: count }, () => random.between(-32768, 32767))
  const bytes = random.bytes(count)
  return format === 'u8' ? bytes : new Int8Array(bytes.buffer)
}

/** Random integers for every input of a graph. */
export function randomInputs(graph: IntegerGraph, random: Random): Map<string, IntegerArray> {
  return new Map(
    graph.inputs.map((port) => {
      return [
        port.name,
        randomCodes(
          port.format,
          port.shape.reduce((product, size) => product * size, 1),
          random,
          port.range,
        ),
      ]
    }),
  )
}

const KERNELS = embeddedBytes(kernelBytes)

/** The finished module of an integer graph, with as much of a manifest as the runtime wants. */
export function moduleOf(graph: IntegerGraph): Uint8Array {
  const emitted = emitProgram(graph)
  const manifest = {
    schema: 1,
    name: graph.name,
    inputs: portsOf(graph.inputs, emitted.inputOffsets),
    outputs: portsOf(graph.outputs, emitted.outputOffsets),
  }
  return seal(
    link(KERNELS, {
      start: emitted.start,
      run: emitted.run,
      data: emitted.data,
      pages: emitted.pages,
      customSections: [{ name: 'dyadic.manifest', bytes: new TextEncoder().encode(JSON.stringify(manifest)) }],
    }),
  )
}

/** The graph as a loaded program. */
export function loadGraph(graph: IntegerGraph): Network {
  return loadSync(moduleOf(graph))
}

/** Runs a loaded program on integers by name. */
export function runNetwork(network: Network, inputs: ReadonlyMap<string, IntegerArray>): Map<string, IntegerArray> {
  return new Map(Object.entries(network.runInteger(Object.fromEntries(inputs) as Record<string, Uint8Array>)))
}
