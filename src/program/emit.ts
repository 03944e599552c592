/**
 * From an integer graph to the description of a WebAssembly module: which kernels `run` calls with which addresses, what
 * lies in memory before start-up, and where inputs and outputs are. Memory is [zeros][constants][arena], all planned here.
 */
import { DyadicError, quoted } from '../error.ts'
import { LANES } from '../kernels/scalar/geometry.ts'
import type {
  ConvolutionInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  Window,
} from '../lower/integer-graph.ts'
import { align, type Buffer, planMemory } from '../lower/memory.ts'
import { callsOf, tensorBytes } from './calls.ts'
import { placeConstants } from './constants.ts'
import { type DataSegment, type KernelCall, PAGE_BYTES } from './module.ts'
import { ungroup } from './pack.ts'

/** Pages of a 32-bit memory; a program that needs more is refused. */
const MAXIMUM_PAGES = 65536
/** `widen` may write this far behind its buffer, and `convolve` may read two bytes behind it. */
const WIDEN_SLACK = 16

export interface EmittedProgram {
  readonly start: readonly KernelCall[]
  readonly run: readonly KernelCall[]
  readonly data: readonly DataSegment[]
  readonly pages: number
  /** Byte addresses of the program's inputs and outputs by name. */
  readonly inputOffsets: ReadonlyMap<string, number>
  readonly outputOffsets: ReadonlyMap<string, number>
  readonly memory: { readonly constantBytes: number; readonly arenaBytes: number; readonly weightBytes: number }
}

function widenedBytes(input: IntegerTensor, window: Window): number {
  const [top, left, bottom, right] = window.pads
  return (top + input.height + bottom) * (left + input.width + right) * input.channels * 2 + WIDEN_SLACK
}

/** The convolution as the kernels can run it. */
function runnable(instruction: ConvolutionInstruction): ConvolutionInstruction {
  const outputs = instruction.output.channels / instruction.groups
  const wide = instruction.output.format === 's32'
  if (
    instruction.kind === 'depthwise' &&
    !wide &&
    instruction.residual === undefined &&
    instruction.input.channels % LANES === 0
  )
    return instruction
  return instruction.groups > 1 && (instruction.kind === 'depthwise' || outputs % LANES !== 0)
    ? ungroup(instruction)
    : { ...instruction, kind: 'convolution' }
}

/** Everything the linker needs for one integer graph. Throws `limit` when 4 GiB of memory do not suffice. */
export function emitProgram(graph: IntegerGraph): EmittedProgram {
  const instructions = graph.instructions.map((instruction) =>
    instruction.kind === 'convolution' || instruction.kind === 'depthwise' ? runnable(instruction) : instruction,
  )

  // Lifetimes: ports and tensors, then one scratch buffer per instruction that widens its input.
  const buffers: Buffer[] = []
  const addBuffer = (bytes: number, from: number, to: number): number => buffers.push({ bytes, from, to }) - 1
  const tensorBuffers = new Map<number, number>()
  const scratchBuffers = new Map<number, number>()
  const inputBuffers = new Map<string, number>()
  const outputBuffers = new Map<string, number>()
  const lastUse = new Map<number, number>()
  for (const [index, instruction] of instructions.entries())
    for (const tensor of reads(instruction)) lastUse.set(tensor.id, index)
  for (const [index, instruction] of instructions.entries()) {
    if (instruction.kind === 'export') {
      const { input } = instruction
      const bytes = input.height * input.width * input.channels * (instruction.format === 's32' ? 4 : 1)
      outputBuffers.set(instruction.outputName, addBuffer(bytes, index, instructions.length))
      continue
    }
    const { output } = instruction
    tensorBuffers.set(output.id, addBuffer(tensorBytes(output), index, lastUse.get(output.id) ?? index))
    if (instruction.kind === 'import')
      inputBuffers.set(instruction.inputName, addBuffer(output.height * output.width * output.channels, -1, index))
    if (instruction.kind === 'convolution' || instruction.kind === 'depthwise')
      scratchBuffers.set(index, addBuffer(widenedBytes(instruction.input, instruction.window), index, index))
  }
  // Imports run one after the other: an input must survive until its own import, whatever ran before it.
  const plan = planMemory(buffers)

  const constants = placeConstants(instructions)
  const arena = align(constants.end, 64)
  const pages = Math.ceil((arena + plan.bytes) / PAGE_BYTES)
  if (pages > MAXIMUM_PAGES)
    throw new DyadicError(
      'limit',
      `program ${quoted(graph.name)} needs ${pages * PAGE_BYTES} bytes of memory, more than the 4 GiB of WebAssembly; the largest buffer has ${Math.max(...buffers.map((buffer) => buffer.bytes))} bytes`,
    )
  const address = (buffer: number): number => arena + plan.offsets[buffer]
  const at = (tensor: IntegerTensor): number => address(tensorBuffers.get(tensor.id) as number)

  const run = instructions.flatMap((instruction, index) =>
    callsOf(instruction, {
      at,
      port: (name) => address((instruction.kind === 'import' ? inputBuffers : outputBuffers).get(name) as number),
      scratch: address(scratchBuffers.get(index) ?? 0),
      constants: constants.addresses[index],
    }),
  )
  return {
    start: constants.start,
    run,
    data: constants.data.toSorted((a, b) => a.offset - b.offset),
    pages,
    inputOffsets: new Map([...inputBuffers].map(([name, buffer]) => [name, address(buffer)])),
    outputOffsets: new Map([...outputBuffers].map(([name, buffer]) => [name, address(buffer)])),
    memory: { constantBytes: arena, arenaBytes: plan.bytes, weightBytes: constants.weightBytes },
  }
}

/** Tensors an instruction reads. */
export function reads(instruction: Instruction): IntegerTensor[] {
  switch (instruction.kind) {
    case 'import':
      return []
    case 'add':
      return [instruction.left, instruction.right]
    case 'concat':
      return [...instruction.inputs]
    case 'convolution':
    case 'depthwise':
      return instruction.residual ? [instruction.input, instruction.residual.input] : [instruction.input]
    default:
      return [instruction.input]
  }
}
