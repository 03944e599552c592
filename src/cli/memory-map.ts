/**
 * Which bytes of a program's arena hold what, and when. Lifetimes follow from the integer graph; addresses are read out of
 * the calls that the program makes: an operand's address is in the argument that moves when the operand is moved.
 */
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { Instruction, IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'
import { emitProgram, reads } from '../program/emit.ts'
import type { KernelCall } from '../program/module.ts'
import { tensorBytes } from '../program/storage.ts'
import type { MemoryBuffer } from '../report/plot-memory.ts'
import { callsAtZero, callsByInstruction } from './instruction-calls.ts'

/** How far the probe moves an operand; any other number than 0 would do. */
const MOVED = 64

/** The address of an operand in the calls of the finished program; undefined where no call uses it. */
function addressIn(
  calls: readonly KernelCall[],
  instruction: Instruction,
  operand: IntegerTensor | 'scratch',
): number | undefined {
  const resting = callsAtZero(instruction)
  for (const [index, call] of callsAtZero(instruction, MOVED, operand).entries())
    for (const [position, argument] of call.arguments.entries()) {
      const rest = resting[index].arguments[position]
      if (argument !== undefined && argument !== rest) return calls[index].arguments[position] - rest
    }
  return undefined
}

/** Bytes of the copy with padding that a convolution reads: what its first call, `widen`, writes. */
function widenedBytes({ arguments: given }: KernelCall): number {
  const [rows, columns, channels, , top, left, bottom, right] = given.slice(3)
  return (top + rows + bottom) * (left + columns + right) * channels * 2
}

/** All buffers of the arena in the order in which they are written; offsets count from the arena's beginning. */
export function memoryMap(graph: IntegerGraph): MemoryBuffer[] {
  const { run, inputOffsets, outputOffsets, memory } = emitProgram(graph)
  const lastUse = new Map<number, number>()
  for (const [index, instruction] of graph.instructions.entries())
    for (const { id } of reads(instruction)) lastUse.set(id, index)
  const found: MemoryBuffer[] = []
  const add = (address: number | undefined, buffer: Omit<MemoryBuffer, 'offset'>): void => {
    if (address !== undefined) found.push({ ...buffer, offset: address - memory.constantBytes })
  }
  const calls = callsByInstruction(graph, run)
  for (const [index, instruction] of graph.instructions.entries()) {
    if (instruction.kind === 'constant') continue
    if (instruction.kind === 'export') {
      const elements = instruction.loops.reduce((product, loop) => product * loop.count, 1)
      const bytes = elements * elementBytes(instruction.input.format)
      const name = instruction.outputName
      add(outputOffsets.get(name), { name, kind: 'port', bytes, from: index, to: graph.instructions.length })
      continue
    }
    const { output } = instruction
    if (instruction.kind === 'import') {
      const bytes = output.height * output.width * output.channels * elementBytes(output.format)
      const name = instruction.inputName
      add(inputOffsets.get(name), { name, kind: 'port', bytes, from: -1, to: index })
    }
    const scratch = addressIn(calls[index], instruction, 'scratch')
    if (scratch !== undefined)
      add(scratch, {
        name: instruction.name,
        kind: 'scratch',
        bytes: widenedBytes(calls[index][0]),
        from: index,
        to: index,
      })
    add(addressIn(calls[index], instruction, output), {
      name: output.name,
      kind: 'value',
      bytes: tensorBytes(output),
      from: index,
      to: lastUse.get(output.id) ?? index,
    })
  }
  return found
}
