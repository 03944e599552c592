/**
 * From an integer graph to the description of a WebAssembly module: which kernels `run` calls with which addresses, what
 * lies in memory before start-up, and where inputs and outputs are. Memory is [zeros][constants][arena], all planned here.
 */
import { DyadicError, quoted } from '../error.ts'
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { Instruction, IntegerGraph, IntegerTensor, Window } from '../lower/integer-graph.ts'
import { align, type Buffer, planMemory } from '../lower/memory.ts'
import { callsOf } from './calls.ts'
import { placeConstants } from './constants.ts'
import { readsStored, runnable } from './convolution-calls.ts'
import { elementwiseScratch, isElementwise } from './elementwise-calls.ts'
import { type DataSegment, type KernelCall, PAGE_BYTES } from './module.ts'
import { productScratch } from './product-calls.ts'
import { isRow, rowScratch } from './row-calls.ts'
import { tensorBytes } from './storage.ts'

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

/** Everything the linker needs for one integer graph. Throws `limit` when 4 GiB of memory do not suffice. */
export function emitProgram(graph: IntegerGraph): EmittedProgram {
  const instructions = graph.instructions.map((instruction) =>
    instruction.kind === 'convolution' || instruction.kind === 'depthwise' ? runnable(instruction) : instruction,
  )

  // Lifetimes: ports and tensors, then one scratch buffer per instruction that widens its input, packs its operands or keeps a row.
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
      const count = instruction.loops.reduce((product, loop) => product * loop.count, 1)
      const bytes = count * elementBytes(instruction.input.format)
      outputBuffers.set(instruction.outputName, addBuffer(bytes, index, instructions.length))
      continue
    }
    if (instruction.kind === 'constant') continue
    const { output } = instruction
    tensorBuffers.set(output.id, addBuffer(tensorBytes(output), index, lastUse.get(output.id) ?? index))
    if (instruction.kind === 'import')
      inputBuffers.set(
        instruction.inputName,
        addBuffer(output.height * output.width * output.channels * elementBytes(output.format), -1, index),
      )
    if ((instruction.kind === 'convolution' || instruction.kind === 'depthwise') && !readsStored(instruction))
      scratchBuffers.set(index, addBuffer(widenedBytes(instruction.input, instruction.window), index, index))
    if (instruction.kind === 'product') scratchBuffers.set(index, addBuffer(productScratch(instruction), index, index))
    const rowBytes = isRow(instruction)
      ? rowScratch(instruction)
      : isElementwise(instruction)
        ? elementwiseScratch(instruction)
        : 0
    if (rowBytes > 0) scratchBuffers.set(index, addBuffer(rowBytes, index, index))
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
  const at = ({ id }: IntegerTensor): number => constants.tensors.get(id) ?? address(tensorBuffers.get(id) as number)

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
    case 'constant':
      return []
    case 'add':
    case 'multiply':
    case 'product':
    case 'magnitude':
      return [instruction.left, instruction.right]
    case 'move':
      return instruction.sources.map(({ input }) => input)
    case 'convolution':
    case 'depthwise':
      return instruction.residual ? [instruction.input, instruction.residual.input] : [instruction.input]
    default:
      return [instruction.input]
  }
}
