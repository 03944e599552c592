/**
 * The integer graph as text: one line per tensor and instruction, arrays as their SHA-256. The text is canonical, so its
 * hash names the integer graph: two graphs with one hash compute the same integers.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { quoted } from '../error.ts'
import type { Instruction, IntegerGraph, IntegerTensor } from './integer-graph.ts'

/** Lower-case hexadecimal. */
export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 of a text's UTF-8 bytes, hexadecimal. */
export function hashText(text: string): string {
  return hexadecimal(sha256(new TextEncoder().encode(text)))
}

type Integers = Int8Array | Uint8Array | Int16Array | Int32Array

function hashIntegers(values: Integers): string {
  // Little-endian on every host that runs WebAssembly.
  return hexadecimal(sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))).slice(0, 16)
}

function isIntegers(value: unknown): value is Integers {
  return [Int8Array, Uint8Array, Int16Array, Int32Array].some((kind) => value instanceof kind)
}

function isTensor(value: object): value is IntegerTensor {
  return 'id' in value && 'range' in value
}

/** Any field of an instruction: numbers, names, tensors by id, arrays by hash, records in the order of their keys. */
function field(value: unknown): string {
  if (isIntegers(value)) {
    const same = value.every((element) => element === value[0])
    return same ? `${value.length}×${value[0]}` : `${value.constructor.name}[${value.length}]:${hashIntegers(value)}`
  }
  if (Array.isArray(value)) return `[${value.map(field).join(' ')}]`
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'object' && value !== null) {
    if (isTensor(value)) return `%${value.id}`
    return `{${Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => `${key}=${field(entry)}`)
      .join(' ')}}`
  }
  return String(value)
}

function instructionLine(instruction: Instruction): string {
  const fields = Object.entries(instruction)
    .filter(([key, value]) => key !== 'kind' && key !== 'name' && key !== 'output' && value !== undefined)
    .map(([key, value]) => `${key}=${field(value)}`)
  const target = instruction.kind === 'export' ? 'out' : `%${instruction.output.id}`
  return `${target} = ${instruction.kind} ${quoted(instruction.name)} ${fields.join(' ')}`
}

/** Deterministic text of an integer graph, names escaped to ASCII. */
export function printIntegerGraph(graph: IntegerGraph): string {
  const lines = [`integer-graph ${quoted(graph.name)}`]
  for (const port of [...graph.inputs, ...graph.outputs]) lines.push(`port ${field(port)}`)
  for (const tensor of graph.tensors)
    lines.push(
      `%${tensor.id}: ${tensor.format} ${tensor.height}×${tensor.width}×${tensor.channels} [${tensor.range.low}, ${tensor.range.high}] scale=${tensor.scale} zero=${tensor.zeroPoint} ${quoted(tensor.name)}`,
    )
  for (const instruction of graph.instructions) lines.push(instructionLine(instruction))
  return `${lines.join('\n')}\n`
}
