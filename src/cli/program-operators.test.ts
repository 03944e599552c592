/** What is read out of a finished module: every kernel by its name, every operator with its work. */
import { describe, expect, it } from 'vitest'
import kernelBytes from '../kernels/embedded/integer.ts'
import { embeddedBytes } from '../kernels/module.ts'
import { certify } from '../lower/certificate.ts'
import type { IntegerGraph, Window } from '../lower/integer-graph.ts'
import { runnable } from '../program/convolution-calls.ts'
import { emitProgram } from '../program/emit.ts'
import { link } from '../program/link.ts'
import { type ProgramManifest, portsOf } from '../program/manifest.ts'
import { createRandom } from '../program/program.fixture.ts'
import { createBuilder } from '../program/random-graph.fixture.ts'
import { decodeModule } from '../program/wasm/decode.ts'
import { kernelNames } from './kernel-names.ts'
import { callsOfRun, operatorsOf, type ProgramOperator } from './program-operators.ts'
import { separated } from './time-operators.ts'

async function read(graph: IntegerGraph): Promise<{ operators: ProgramOperator[]; separate: Uint8Array<ArrayBuffer> }> {
  const emitted = emitProgram(graph)
  const wasm = link(embeddedBytes(kernelBytes), { ...emitted, customSections: [] }) as Uint8Array<ArrayBuffer>
  const module = decodeModule(wasm)
  const calls = callsOfRun(module)
  expect(calls.map(({ kernel, arguments: given }) => ({ kernel, arguments: given }))).toEqual(
    emitted.run.map(({ kernel, arguments: given }) => ({ kernel, arguments: given.map((value) => value | 0) })),
  )
  const { instance } = await WebAssembly.instantiate(wasm)
  const manifest = {
    certificate: certify(graph),
    inputs: portsOf(graph.inputs, emitted.inputOffsets),
    outputs: portsOf(graph.outputs, emitted.outputOffsets),
  } as unknown as ProgramManifest
  const memory = new DataView((instance.exports.memory as WebAssembly.Memory).buffer)
  const operators = operatorsOf(calls, manifest, memory)
  return { operators, separate: separated(module, operators) }
}

const window = (kernel: Window['kernel'], changes: Partial<Window> = {}): Window => ({
  ...{ kernel, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
  ...changes,
})

describe('kernelNames', () => {
  it('knows every kernel again', () => {
    const kernels = decodeModule(embeddedBytes(kernelBytes))
    const nameOf = kernelNames(kernels)
    const functions = kernels.exports.filter(({ kind }) => kind === 'function')
    // Kernels that do the same may share a name.
    const wrong = functions.filter(({ name, index }) => nameOf(index) !== name).map(({ name }) => name)
    expect(wrong).toEqual([])
  })
})

describe('operatorsOf', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))('finds names and work of random network %i', async (seed) => {
    const random = createRandom(seed)
    const builder = createBuilder('operators', random)
    const format = random.pick(['s8', 's16'] as const)
    const input = builder.input(random.between(7, 9), random.between(7, 9), random.between(1, 9))
    const pads: Window['pads'] = random.pick([[0, 0, 0, 0] as const, [1, 1, 1, 0] as const])
    const dilations = random.pick([[1, 1] as const, [2, 2] as const])
    const kernel = [random.between(1, 3), random.between(1, 3)] as const
    const first = builder.convolution(input, { outputs: 24, window: window(kernel, { pads, dilations }), format })
    const groups = random.pick([1, 3, 3, 24])
    const grouped = builder.convolution(first, { outputs: 24, window: window([2, 1]), groups, format })
    const same = builder.convolution(grouped, { outputs: 24, window: window([1, 1]), format })
    const sum = builder.add(grouped, same)
    const depthwise = builder.convolution(sum, {
      ...{ outputs: 24, window: window(random.pick([[1, 1] as const, [2, 2] as const, [1, 3] as const])) },
      ...{ depthwise: true, groups: 24, format },
    })
    builder.output(builder.maxPool(depthwise, window([1, 1])))
    const graph = builder.graph()
    const { operators, separate } = await read(graph)
    const expected = graph.instructions.map((instruction) => {
      const { kind } = instruction
      if (kind === 'import') return { kind, name: instruction.inputName, macs: 0 }
      if (kind === 'export') return { kind, name: instruction.outputName, macs: 0 }
      if (kind !== 'convolution' && kind !== 'depthwise')
        return { kind, name: kind === 'max-pool' ? '' : instruction.name, macs: 0 }
      const run = runnable(instruction)
      const [rows, columns] = run.window.kernel
      const { height, width, channels } = run.output
      const macs = height * width * channels * rows * columns * (run.input.channels / run.groups)
      return { kind: run.kind, name: run.name, macs }
    })
    expect(operators.map(({ name, kind, macs }) => ({ kind, name, macs }))).toEqual(expected)
    const { instance } = await WebAssembly.instantiate(separate)
    for (const index of operators.keys()) (instance.exports as Record<string, () => void>)[index]()
  })
})
