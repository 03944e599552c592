/**
 * A listing of a module for people: sections, memories, data, and every function instruction by instruction. It is read
 * from the bytes by the verifier's own decoder; it is not the text format and is never parsed back.
 */
import { quoted } from '../../error.ts'
import { type DecodedModule, decodeModule, type FunctionBody, type FunctionType } from './decode.ts'
import { EMPTY_BLOCK, type Instruction, valueType, walkExpression } from './instructions.ts'
import { ByteReader } from './leb128.ts'

const signature = (type: FunctionType) => `(${type.parameters.join(', ')}) → (${type.results.join(', ')})`

const hexadecimal = (value: number | bigint, digits: number) => value.toString(16).padStart(digits, '0')

/** Immediates as text; float constants and vectors as their bits, so that nothing is rounded. */
function printOperands({ opcode, operands }: Instruction): string {
  const [first] = opcode.immediates
  if (first === 'block-type') {
    if (operands[0] === EMPTY_BLOCK) return ''
    return ` ${valueType(Number(operands[0]) + 0x80) ?? `type ${operands[0]}`}`
  }
  if (first === 'alignment') {
    const [exponent, offset, ...lane] = operands
    return ` align=${2 ** Number(exponent)} offset=${offset}${lane.map((value) => ` ${value}`).join('')}`
  }
  if (first === 'f32') return ` bits 0x${hexadecimal(operands[0], 8)}`
  if (first === 'f64') return ` bits 0x${hexadecimal(operands[0], 16)}`
  if (first === 'v128') return ` bytes ${operands.map((byte) => hexadecimal(byte, 2)).join(' ')}`
  return operands.map((value) => ` ${value}`).join('')
}

function* printBody(module: DecodedModule, body: FunctionBody): Generator<string> {
  if (body.locals.length > 0) yield `  locals ${body.locals.map(({ count, type }) => `${count} × ${type}`).join(', ')}`
  let depth = 1
  for (const instruction of walkExpression(new ByteReader(module.bytes, body.expression, body.end))) {
    const { name, immediates } = instruction.opcode
    if (name === 'end') depth--
    // Hostile nesting would make a line as long as the file is deep.
    const indent = '  '.repeat(Math.min(depth - (name === 'else' ? 1 : 0), 32))
    if (depth > 0) yield `${indent}${name}${printOperands(instruction)}`
    if (immediates[0] === 'block-type') depth++
  }
}

function* printModule(module: DecodedModule): Generator<string> {
  yield `module, ${module.bytes.length} bytes`
  for (const { id, name, start, end } of module.sections)
    yield `section ${id === 0 ? quoted(name) : name}, ${end - start} bytes at ${start}`
  for (const item of module.imports) yield `import ${item.kind} ${quoted(item.module)} ${quoted(item.name)}`
  for (const { minimum, maximum } of module.memories) yield `memory ${minimum} to ${maximum ?? 'any number of'} pages`
  for (const [index, { type, mutable, initial }] of module.globals.entries())
    yield `global ${index} ${mutable ? 'variable ' : ''}${type} = ${initial.opcode.name}${printOperands(initial)}`
  for (const { name, kind, index } of module.exports) yield `export ${quoted(name)} = ${kind} ${index}`
  if (module.start !== undefined) yield `start function ${module.start}`
  const imported = module.imports.filter(({ kind }) => kind === 'function').length
  for (const [index, body] of module.bodies.entries()) {
    yield `function ${imported + index} ${signature(module.types[body.type])}`
    yield* printBody(module, body)
  }
  for (const { offset, bytes } of module.data) yield `data ${bytes.length} bytes at ${offset ?? 'no fixed address'}`
}

/** The listing, one line per item or instruction, ending in a line feed. Throws `refused` like {@link decodeModule}. */
export function disassemble(bytes: Uint8Array): string {
  return `${[...printModule(decodeModule(bytes))].join('\n')}\n`
}
