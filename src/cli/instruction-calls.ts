/** Which calls of a program belong to which instruction of its integer graph: emission writes them one after the other. */
import type { Instruction, IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'
import { type Addresses, callsOf } from '../program/calls.ts'
import { runnable } from '../program/convolution-calls.ts'
import type { KernelCall } from '../program/module.ts'

/** The instruction in the form that is emitted. */
function emittedForm(instruction: Instruction): Instruction {
  return instruction.kind === 'convolution' || instruction.kind === 'depthwise' ? runnable(instruction) : instruction
}

/** The calls of an instruction with everything at address 0 but a tensor, or the scratch memory, at `moved`. */
export function callsAtZero(instruction: Instruction, moved = 0, tensor?: IntegerTensor | 'scratch'): KernelCall[] {
  const addresses: Addresses = {
    at: ({ id }) => (typeof tensor === 'object' && id === tensor.id ? moved : 0),
    port: () => 0,
    scratch: tensor === 'scratch' ? moved : 0,
    constants: [],
  }
  return callsOf(emittedForm(instruction), addresses)
}

/** The calls of `run`, cut into those of each instruction. */
export function callsByInstruction<Call extends KernelCall>(
  { instructions }: IntegerGraph,
  run: readonly Call[],
): Call[][] {
  let next = 0
  return instructions.map((instruction) => {
    const count = callsAtZero(instruction).length
    next += count
    return run.slice(next - count, next)
  })
}
