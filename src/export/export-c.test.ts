/** The C header: every number of the integer graph is in it, it is legal C99, and names cannot become code. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ConvolutionInstruction, IntegerGraph } from '../lower/integer-graph.ts'
import { byteSet, conv, lowered } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { exportHeader } from './export-c.ts'

const version = '0.0.0'

/** Arrays and macros of a header, by name. */
function numbersOf(header: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>()
  const read = (text: string): number => (text === '(-2147483647 - 1)' ? -(2 ** 31) : Number(text.replace(/[()]/g, '')))
  for (const [, name, value] of header.matchAll(/^#define (\w+) (.+)$/gm))
    numbers.set(name as string, [read(value as string)])
  for (const [, name, length, body] of header.matchAll(/^static const \w+ (\w+)\[(\d+)\] = \{\n([^}]*)\n\};/gm)) {
    const list = (body as string).split(/,\s*/).map((text) => read(text.trim()))
    expect(list.length).toBe(Number(length))
    numbers.set(name as string, list)
  }
  return numbers
}

async function example(options: Parameters<typeof lowered>[2] = {}): Promise<IntegerGraph> {
  const graph = net({ x: [1, 2, 6, 6] }, [
    { ...conv('x', 40, 2, 3, 3), attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Relu', inputs: ['v0'] },
    { operator: 'Sigmoid', inputs: ['v1'] },
    conv('v2', 4, 40, 1, 1),
    { operator: 'GlobalAveragePool', inputs: ['v3'] },
  ])
  return (await lowered(graph, byteSet([2, 6, 6]), options)).integers
}

const convolutions = ({ instructions }: IntegerGraph): [number, ConvolutionInstruction][] =>
  instructions.flatMap((one, index): [number, ConvolutionInstruction][] =>
    one.kind === 'convolution' ? [[index, one]] : [],
  )

describe('a C header', () => {
  it.each([{}, { weights: 's4' as const, group: 32 as const }, { granularity: 'channel' as const }])(
    'holds the numbers of every layer (%o)',
    async (options) => {
      const integers = await example(options)
      const numbers = numbersOf(exportHeader(integers, { version, name: 'net' }))
      const layers = convolutions(integers)
      expect(layers.length).toBe(2)
      for (const [index, layer] of layers) {
        const at = (field: string): number[] | undefined => numbers.get(`net_${index}_${field}`)
        const single = (field: string): number[] | undefined => numbers.get(`NET_${index}_${field}`)
        expect(at('weights')).toEqual(Array.from(layer.weights))
        expect(at('bias')).toEqual(Array.from(layer.bias))
        expect(at('weight_zero_points')).toEqual(Array.from(layer.weightZeroPoints))
        expect(at('input_zero_points')).toEqual(Array.from(layer.inputZeroPoints))
        expect(at('requantisation_multipliers')).toEqual(Array.from(layer.requantisation.multipliers))
        expect(single('REQUANTISATION_SHIFT')).toEqual([layer.requantisation.shift])
        expect(single('REQUANTISATION_LEFT')).toEqual([layer.requantisation.left])
        expect(single('OUTPUT_ZERO_POINT')).toEqual([layer.outputZeroPoint])
        expect(single('CLAMP_LOW')).toEqual([layer.clamp.low])
        expect(at('window_pads')).toEqual([...layer.window.pads])
        expect(at('weight_groups_factors')).toEqual(layer.weightGroups && Array.from(layer.weightGroups.factors))
        expect(single('INPUT_TENSOR')).toEqual([layer.input.id])
      }
      const table = integers.instructions.findIndex(({ kind }) => kind === 'table')
      const { table: codes } = integers.instructions[table] as unknown as { table: Int8Array }
      expect(numbers.get(`net_${table}_table`)).toEqual(Array.from(codes))
      for (const { id, scale } of integers.tensors) expect(numbers.get(`NET_TENSOR_${id}_SCALE`)).toEqual([scale])
    },
  )

  it('writes the least int32, which C has no literal for', async () => {
    const integers = await example()
    const [[, layer]] = convolutions(integers) as [[number, ConvolutionInstruction]]
    layer.bias[0] = -(2 ** 31)
    expect(exportHeader(integers, { version, name: 'net' })).toContain('(-2147483647 - 1)')
  })

  it('is C99 without a warning, whatever the model calls its values', async () => {
    const integers = await example({ weights: 's4', group: 32 })
    const hostile = '*/ int main(void) { return 1; } /* \n#error'
    const named: IntegerGraph = {
      ...integers,
      name: hostile,
      tensors: integers.tensors.map((tensor) => ({ ...tensor, name: hostile })),
      instructions: integers.instructions.map((one) => ({ ...one, name: hostile })),
    }
    const header = exportHeader(named, { version })
    const code = header.replaceAll(/\/\*[\s\S]*?\*\//g, '')
    expect(code).not.toMatch(/\bmain\b|#error/)
    const folder = mkdtempSync(join(tmpdir(), 'dyadic-header-'))
    try {
      writeFileSync(join(folder, 'network.h'), header)
      writeFileSync(join(folder, 'use.c'), '#include "network.h"\nint main(void) { return 0; }\n')
      const flags = ['-std=c99', '-pedantic', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', 'use.c']
      execFileSync('cc', flags, { cwd: folder, stdio: 'pipe' })
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!missing || process.env.CI === 'true') throw error
      process.stderr.write('no C compiler `cc` here: the header was not compiled\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
