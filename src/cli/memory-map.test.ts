/** The memory map: everything lies in the arena, and no two things lie in one place at one time. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openGlyphs } from '../data/glyphs.ts'
import { compile, parseOnnx, quantize } from '../index.ts'
import type { IntegerGraph, Window } from '../lower/integer-graph.ts'
import { emitProgram } from '../program/emit.ts'
import { createRandom } from '../program/program.fixture.ts'
import { createBuilder } from '../program/random-graph.fixture.ts'
import { memoryMap } from './memory-map.ts'

function check(graph: IntegerGraph): void {
  const map = memoryMap(graph)
  const { memory, inputOffsets, outputOffsets } = emitProgram(graph)
  const made = graph.instructions.flatMap((instruction) =>
    instruction.kind === 'export' || instruction.kind === 'constant' ? [] : [instruction.output.name],
  )
  expect(map.flatMap(({ kind, name }) => (kind === 'value' ? [name] : []))).toEqual(made)
  expect(map.filter(({ kind }) => kind === 'port')).toHaveLength(inputOffsets.size + outputOffsets.size)
  // Buffers begin at multiples of 64 bytes, and widened inputs have a few spare bytes behind.
  const end = Math.max(...map.map(({ offset, bytes }) => offset + bytes))
  expect(memory.arenaBytes - end).toBeLessThan(64 + 16)
  for (const { offset, bytes, from, to } of map) {
    expect(offset).toBeGreaterThanOrEqual(0)
    expect(bytes).toBeGreaterThan(0)
    expect(offset + bytes).toBeLessThanOrEqual(memory.arenaBytes)
    expect(from).toBeLessThanOrEqual(to)
  }
  for (const [index, one] of map.entries())
    for (const other of map.slice(index + 1)) {
      const together = one.from <= other.to && other.from <= one.to
      const overlap = one.offset < other.offset + other.bytes && other.offset < one.offset + one.bytes
      expect(together && overlap, `${one.kind} ${one.name}, ${other.kind} ${other.name}`).toBe(false)
    }
}

describe('memoryMap', () => {
  it('knows where the values of a network lie', async () => {
    const path = fileURLToPath(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url))
    const graph = parseOnnx(readFileSync(path))
    const plan = await quantize(graph, openGlyphs({ seed: 1, first: 0, count: 4 }))
    const { integerGraph, manifest } = compile(graph, plan)
    check(integerGraph)
    const input = memoryMap(integerGraph).find(({ kind }) => kind === 'port')
    expect(input?.offset).toBe(manifest.inputs[0].offset - manifest.memory.constantBytes)
  })

  it.each(Array.from({ length: 24 }, (_, seed) => seed))('knows where those of random network %i lie', (seed) => {
    const random = createRandom(seed)
    const builder = createBuilder('map', random)
    const format = random.pick(['s8', 's16'] as const)
    const input = builder.input(random.between(3, 9), random.between(3, 9), random.between(1, 20), 'u8')
    const pads: Window['pads'] = random.pick([[0, 0, 0, 0] as const, [1, 0, 1, 1] as const])
    const window: Window = { kernel: [2, 2], strides: [1, 1], dilations: [1, 1], pads }
    const first = builder.convolution(input, { outputs: 8 * random.between(1, 2), window, format })
    const one: Window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
    const grouped = builder.convolution(first, { outputs: 16, window: one, groups: random.pick([1, 2, 8]), format })
    const depthwise = builder.convolution(grouped, { outputs: 16, window, depthwise: true, groups: 16, format })
    const same = builder.convolution(grouped, { outputs: 16, window: one, format })
    const sum = builder.add(grouped, same)
    const joined = builder.concat([sum, builder.constant(sum.height, sum.width, 3, format)], 'channels')
    builder.output(builder.maxPool(depthwise, one))
    builder.output(joined)
    builder.output(builder.permute(sum))
    check(builder.graph())
  })
})
