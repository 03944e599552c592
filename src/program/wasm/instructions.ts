/**
 * Walks an expression instruction by instruction: names, operands and byte ranges, nothing about types. Structure is
 * checked (known opcodes, complete immediates, `end` exactly at the end); whether the stack fits is the engine's
 * validator's business. Also rewrites indices when functions move to another module.
 */
import { type ByteReader, ByteWriter } from './leb128.ts'
import { type Immediate, OPCODES, type Opcode, PREFIX_SPACE, PREFIXES } from './opcodes.ts'

/** Value types by their byte. Reference types do not occur in what dyadic reads. */
export const VALUE_TYPES = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128' } as const

export type ValueType = (typeof VALUE_TYPES)[keyof typeof VALUE_TYPES]

/** Block type without parameter or result, as the operand of `block`, `loop` and `if`. */
export const EMPTY_BLOCK = -0x40

export interface Instruction {
  readonly opcode: Opcode
  /** First byte and the byte after the last one, as offsets into the file. */
  readonly start: number
  readonly end: number
  /**
   * Immediates in order, as numbers; `lanes` and `v128` are 16 bytes, `labels` all its labels, float constants their
   * bits. A block type is a type index, {@link EMPTY_BLOCK}, or value type byte − 0x80.
   */
  readonly operands: readonly (number | bigint)[]
}

/** The value type whose byte is `byte`, or undefined. */
export function valueType(byte: number): ValueType | undefined {
  return (VALUE_TYPES as Record<number, ValueType>)[byte]
}

function readBlockType(reader: ByteReader): number {
  const byte = reader.peek()
  if (byte === 0x40 || valueType(byte) !== undefined) return reader.byte() - 0x80
  const start = reader.position
  const index = reader.s33()
  return index >= 0 ? index : reader.fail('a block type that is neither a value type nor an index', start)
}

function readImmediate(reader: ByteReader, immediate: Immediate, operands: (number | bigint)[]): void {
  switch (immediate) {
    case 'block-type':
      operands.push(readBlockType(reader))
      return
    case 'labels':
      for (let count = reader.u32(); count > 0; count--) operands.push(reader.u32())
      return
    case 'alignment': {
      const start = reader.position
      const exponent = reader.u32()
      // The widest access is 16 bytes; larger numbers would announce a memory index.
      if (exponent > 4) reader.fail(`an alignment of 2^${exponent} bytes`, start)
      operands.push(exponent)
      return
    }
    case 'memory': {
      const start = reader.position
      if (reader.byte() !== 0) reader.fail('an instruction on a second memory', start)
      operands.push(0)
      return
    }
    case 'lane':
      operands.push(reader.byte())
      return
    case 'lanes':
    case 'v128':
      operands.push(...reader.take(16))
      return
    case 'i32':
      operands.push(reader.s32())
      return
    case 'i64':
      operands.push(reader.s64())
      return
    case 'f32':
      operands.push(reader.fixed32())
      return
    case 'f64':
      operands.push(reader.fixed64())
      return
    default:
      operands.push(reader.u32())
  }
}

/** Reads one instruction. Throws `refused` for one that is not in the table. */
export function readInstruction(reader: ByteReader): Instruction {
  const start = reader.position
  const byte = reader.byte()
  const code = PREFIXES.includes(byte) ? byte * PREFIX_SPACE + Math.min(reader.u32(), PREFIX_SPACE - 1) : byte
  const opcode = OPCODES.get(code)
  if (opcode === undefined) return reader.fail(`unknown instruction 0x${code.toString(16)}`, start)
  const operands: (number | bigint)[] = []
  for (const immediate of opcode.immediates) readImmediate(reader, immediate, operands)
  return { opcode, start, end: reader.position, operands }
}

/** All instructions of an expression, its last `end` included, which must be the last byte of `reader`. */
export function* walkExpression(reader: ByteReader): Generator<Instruction> {
  let depth = 1
  while (depth > 0) {
    const instruction = readInstruction(reader)
    if (instruction.opcode.immediates[0] === 'block-type') depth++
    else if (instruction.opcode.name === 'end') depth--
    yield instruction
  }
  if (!reader.done) reader.fail('bytes after the end of a function')
}

/** New indices for old ones. */
export interface Relocation {
  readonly functions: ReadonlyMap<number, number>
  readonly globals: ReadonlyMap<number, number>
  readonly types: ReadonlyMap<number, number>
}

/** The space that an instruction's index must be renumbered in, if any. All of these have exactly one immediate. */
export function relocatedSpace(instruction: Instruction): keyof Relocation | undefined {
  switch (instruction.opcode.immediates[0]) {
    case 'function':
      return 'functions'
    case 'global':
      return 'globals'
    case 'block-type':
      return (instruction.operands[0] as number) >= 0 ? 'types' : undefined
    default:
      return undefined
  }
}

/**
 * Copies `bytes[start, end)`, which ends with the expression that `reader` stands at, with every function, global and
 * type index replaced. Throws `refused` when an index is not in its map.
 */
export function relocateExpression(reader: ByteReader, start: number, relocation: Relocation): Uint8Array {
  const { bytes, end } = reader
  const writer = new ByteWriter()
  let copied = start
  for (const instruction of walkExpression(reader)) {
    const space = relocatedSpace(instruction)
    if (space === undefined) continue
    const index = relocation[space].get(instruction.operands[0] as number)
    if (index === undefined)
      return reader.fail(`an index out of range in ${instruction.opcode.name}`, instruction.start)
    writer.raw(bytes.subarray(copied, instruction.start)).byte(bytes[instruction.start])
    // A type index in a block type is signed; below 2^31 the 32-bit and the 33-bit encoding are the same bytes.
    if (space === 'types') writer.s32(index)
    else writer.u32(index)
    copied = instruction.end
  }
  return writer.raw(bytes.subarray(copied, end)).finish()
}
