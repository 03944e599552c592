/**
 * From an integer graph to a GPU program: where each tensor lies in one arena, what each instruction dispatches, and which
 * shaders that takes. The program holds every level's shaders; which one runs is decided where it runs and changes no byte.
 */
import { GPU_KERNELS } from '../kernels/gpu/kernels.ts'
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'
import { align, type Buffer, planMemory } from '../lower/memory.ts'
import { reads } from '../program/emit.ts'
import { portsOf } from '../program/manifest.ts'
import { tensorBytes } from '../program/storage.ts'
import type { GpuInitialTensor, GpuPort, GpuProgram } from '../runtime/gpu/program.ts'
import { storedConstant } from './constant-tensor.ts'
import { createConstants } from './constants.ts'
import { dispatchesOf } from './instruction-dispatch.ts'
import { shaderOf } from './shader.ts'

/** Reads behind a row's end stay in the arena: rows are read in steps of 64 bytes. */
const ARENA_SLACK = 256

/** A program without probes. Throws `limit` or `unsupported` where an instruction exceeds what its kernel takes. */
export function emitGraph(graph: IntegerGraph): GpuProgram {
  const { instructions } = graph
  const end = instructions.length
  const buffers: Buffer[] = []
  const addBuffer = (bytes: number, from: number, to: number): number => buffers.push({ bytes, from, to }) - 1
  const tensorBuffers = new Map<number, number>()
  const ports = new Map<number, { readonly buffer: number; readonly imageBytes: number }>()
  const lastUse = new Map<number, number>()
  for (const [index, instruction] of instructions.entries())
    for (const tensor of reads(instruction)) lastUse.set(tensor.id, index)
  for (const [index, instruction] of instructions.entries()) {
    if (instruction.kind === 'export') {
      const count = instruction.loops.reduce((product, loop) => product * loop.count, 1)
      // The kernel writes four elements at a time.
      const imageBytes = align(count, 4) * elementBytes(instruction.input.format)
      ports.set(index, { buffer: addBuffer(imageBytes, index, end), imageBytes })
      continue
    }
    const { output } = instruction
    if (instruction.kind === 'constant') tensorBuffers.set(output.id, addBuffer(tensorBytes(output), -1, end))
    else tensorBuffers.set(output.id, addBuffer(tensorBytes(output), index, lastUse.get(output.id) ?? index))
    if (instruction.kind === 'import') {
      const count = output.height * output.width * output.channels
      const imageBytes = align(count * elementBytes(output.format), 4)
      ports.set(index, { buffer: addBuffer(imageBytes, -1, index), imageBytes })
    }
  }
  const plan = planMemory(buffers)
  const byteAddress = ({ id }: IntegerTensor): number => plan.offsets[tensorBuffers.get(id) as number]

  const constants = createConstants()
  const initial: GpuInitialTensor[] = []
  const inputs = new Map<string, { readonly offset: number; readonly imageBytes: number }>()
  const outputs = new Map<string, { readonly offset: number; readonly imageBytes: number }>()
  const dispatches = instructions.flatMap((instruction, index) => {
    const found = ports.get(index)
    const port = { offset: found === undefined ? 0 : plan.offsets[found.buffer], imageBytes: found?.imageBytes ?? 0 }
    if (instruction.kind === 'import') inputs.set(instruction.inputName, port)
    if (instruction.kind === 'export') outputs.set(instruction.outputName, port)
    if (instruction.kind === 'constant')
      initial.push({
        offset: byteAddress(instruction.output),
        constants: constants.place(storedConstant(instruction)) * 16,
        bytes: tensorBytes(instruction.output),
      })
    return dispatchesOf(instruction, {
      at: (tensor) => byteAddress(tensor) / 4,
      port: { address: port.offset / 4, imageWords: port.imageBytes / 4 },
      constants,
    })
  })
  const used = new Set(dispatches.map(({ family }) => family))
  const gpuPorts = (list: IntegerGraph['inputs'], places: typeof inputs): GpuPort[] =>
    portsOf(list, new Map([...places].map(([name, { offset }]) => [name, offset]))).map((port) => ({
      ...port,
      imageBytes: places.get(port.name)?.imageBytes ?? 0,
    }))
  const bytes = constants.bytes()
  return {
    header: {
      schema: 1,
      name: graph.name,
      inputs: gpuPorts(graph.inputs, inputs),
      outputs: gpuPorts(graph.outputs, outputs),
      arenaBytes: plan.bytes + ARENA_SLACK,
      constantBytes: bytes.length,
      shaders: GPU_KERNELS.map(shaderOf).flatMap((shader) => {
        const families = shader.families.filter((family) => used.has(family))
        return families.length === 0 ? [] : [{ ...shader, families }]
      }),
      dispatches,
      initial,
      probes: [],
    },
    constants: bytes,
  }
}
