/**
 * Element-by-element instructions run by the compiled kernels in a memory of their own, and compared with their scalar meaning.
 */
import { expect } from 'vitest'
import type { IntegerTensor, StorageFormat } from '../lower/integer-graph.ts'
import { fillRandomUint32 } from '../num/random.ts'
import {
  type ElementwiseInstruction,
  elementwiseCalls,
  elementwiseConstants,
  elementwiseScratch,
} from '../program/elementwise-calls.ts'
import { interpretElementwise } from '../program/interpret-elementwise.ts'
import type { KernelCall } from '../program/module.ts'
import kernelBytes from './embedded/integer.ts'
import { compileEmbedded } from './module.ts'
import type { StoredCodes } from './scalar/elementwise.ts'
import { allocateStored } from './scalar/geometry.ts'

export type Codes = Int8Array | Int16Array
export type Format = 's8' | 's16'

const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536 })
const kernels = new WebAssembly.Instance(compileEmbedded(kernelBytes), { env: { memory } }).exports as Readonly<
  Record<string, (...values: number[]) => void>
>
const GUARD = 64
const GUARD_BYTE = 0x5a

/** Integers of a format. */
export const limits = (format: StorageFormat) =>
  format === 's8' ? { low: -128, high: 127 } : { low: -32768, high: 32767 }

let nextId = 0

/** Starts the numbers of tensors anew, on which their random codes depend. */
export function restart(): void {
  nextId = 0
}

/** A tensor with the next number. */
export function tensor(
  format: Format,
  height: number,
  width: number,
  channels: number,
  range = limits(format),
): IntegerTensor {
  return { id: nextId++, name: 't', format, height, width, channels, scale: 1, zeroPoint: 0, range }
}

/** Random codes of the tensor's range, its ends more often; padding lanes hold anything. */
export function fill(target: IntegerTensor, seed: number): StoredCodes {
  const { format, height, width, channels, range } = target
  const stored: StoredCodes = allocateStored(format as Format, height, width, channels)
  const words = new Uint32Array(stored.data.length)
  fillRandomUint32(seed, target.id, 0, words)
  const span = range.high - range.low + 1
  for (const [i, word] of words.entries()) {
    const end = (word & 31) === 0 ? range.low : range.high
    const code = (word & 30) === 0 ? end : range.low + ((word >>> 5) % span)
    stored.data[i] = i % stored.stride < channels ? code : word >>> 8
  }
  return stored
}

/** Calls a kernel; WebAssembly itself would take a wrong number of arguments. */
function runKernel({ kernel, arguments: values }: KernelCall): void {
  const run = kernels[kernel]
  if (run?.length !== values.length)
    throw new Error(`kernel ${kernel} takes ${run?.length} arguments, not ${values.length}`)
  run(...values)
}

/** Runs the instruction by kernels: data, operands and output one after the other, with guard bytes around the output. */
function runKernels(instruction: ElementwiseInstruction, operands: ReadonlyMap<number, StoredCodes>): StoredCodes {
  let end = 64
  const bytes = new Uint8Array(memory.buffer)
  const place = (size: number): number => {
    const offset = end
    end = (end + size + 15) & -16
    if (end > bytes.length) throw new Error(`${end} bytes do not fit the memory of this test`)
    return offset
  }
  const placeData = (values: ArrayBufferView): number => {
    const offset = place(values.byteLength)
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset)
    return offset
  }
  const constants = elementwiseConstants(instruction, placeData)
  const places = new Map([...operands].map(([id, { data }]) => [id, placeData(data)]))
  const scratch = place(elementwiseScratch(instruction))
  const { format, height, width, channels } = instruction.output
  const found: StoredCodes = allocateStored(format as Format, height, width, channels)
  const before = place(found.data.byteLength + 2 * GUARD)
  bytes.fill(GUARD_BYTE, before, before + found.data.byteLength + 2 * GUARD)
  places.set(instruction.output.id, before + GUARD)
  const at = ({ id }: IntegerTensor): number => places.get(id) as number
  for (const call of elementwiseCalls(instruction, constants, at, scratch)) runKernel(call)
  const target = new Uint8Array(found.data.buffer)
  target.set(bytes.subarray(before + GUARD, before + GUARD + target.length))
  const behind = before + GUARD + target.length
  for (const guard of [bytes.subarray(before, before + GUARD), bytes.subarray(behind, behind + GUARD)])
    if (guard.some((byte) => byte !== GUARD_BYTE)) expect(guard).toEqual(new Uint8Array(GUARD).fill(GUARD_BYTE))
  return found
}

/** Real channels, without the spare lanes. */
export function compact({ data, channels, stride }: StoredCodes): Codes {
  return data.filter((_, i) => i % stride < channels)
}

/** Both meanings on the same operands; the codes they agree on. */
export function compare(instruction: ElementwiseInstruction, operands: ReadonlyMap<number, StoredCodes>): Codes {
  const { format, height, width, channels } = instruction.output
  const output: StoredCodes = allocateStored(format as Format, height, width, channels)
  interpretElementwise(instruction, ({ id }) => operands.get(id) as StoredCodes, output)
  const expected = compact(output)
  const found = compact(runKernels(instruction, operands))
  if (found.length !== expected.length || found.some((code, i) => code !== expected[i])) expect(found).toEqual(expected)
  return expected
}

/** The tables of R13. */
export function exponentialTables(scale: number): { coarse: Int32Array; fine: Int32Array } {
  const table = (step: number): Int32Array =>
    Int32Array.from({ length: 256 }, (_, i) => Math.floor(2 ** 15 * Math.exp(-i * step * scale) + 0.5))
  return { coarse: table(256), fine: table(1) }
}
