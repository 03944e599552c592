/**
 * An integer graph as a C header: every number a program computes with, under names made of the instruction's position. C99,
 * nothing but <stdint.h>; arrays are `static const`, single numbers are macros. Weights are in stored order,
 * [output][kernel row][kernel column][input], and what each number does is said in docs/arithmetic.md.
 *
 * Names from a model appear in comments only, escaped, so that they cannot become code.
 */
import { quoted } from '../error.ts'
import type { Instruction, IntegerGraph, IntegerTensor, Port } from '../lower/integer-graph.ts'
import { hashText, printIntegerGraph } from '../lower/print.ts'

export interface HeaderOptions {
  /** Version of dyadic, for the comment at the top. */
  readonly version: string
  /** Prefix of all names; what is no letter, digit or underscore becomes an underscore (default: the graph's name). */
  readonly name?: string
}

/** The text of the header, equal for equal arguments. */
export function exportHeader(graph: IntegerGraph, { version, name = graph.name }: HeaderOptions): string {
  const prefix = identifier(name)
  const writer = new HeaderWriter(prefix)
  const guard = `DYADIC_${prefix.toUpperCase()}_H`
  const bodies = [
    ...graph.inputs.map((port, index) => writer.port('input', index, port)),
    ...graph.outputs.map((port, index) => writer.port('output', index, port)),
    ...graph.tensors.map((tensor) => writer.tensor(tensor)),
    ...graph.instructions.map((instruction, index) => writer.instruction(index, instruction)),
  ]
  return [
    `/* Network ${comment(graph.name)} as integers, by dyadic ${version}. Arithmetic: docs/arithmetic.md of dyadic.`,
    `   SHA-256 of the integer graph: ${hashText(printIntegerGraph(graph))} */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stdint.h>',
    '',
    `#define ${prefix.toUpperCase()}_INSTRUCTIONS ${graph.instructions.length}`,
    `#define ${prefix.toUpperCase()}_TENSORS ${graph.tensors.length}`,
    '',
    ...bodies,
    `#endif`,
    '',
  ].join('\n')
}

/** Letters, digits and underscores, a letter first, at most 40. */
function identifier(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 40)
  return /^[A-Za-z]/.test(plain) ? plain : `network_${plain}`.slice(0, 40)
}

/** A model's name inside a C comment. */
function comment(name: string): string {
  return quoted(name).replaceAll(/\*(?=\/)|\/(?=\*)/g, '$& ')
}

type Integers = Int8Array | Uint8Array | Int16Array | Int32Array

const C_TYPES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [Int8Array, 'int8_t'],
  [Uint8Array, 'uint8_t'],
  [Int16Array, 'int16_t'],
  [Int32Array, 'int32_t'],
])

function isTensor(value: object): value is IntegerTensor {
  return 'id' in value && 'range' in value
}

class HeaderWriter {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  port(role: 'input' | 'output', index: number, { name, shape, format, layout, scale, zeroPoint }: Port): string {
    const base = `${this.#prefix}_${role}_${index}`
    return this.#block(`${role} ${index}, ${comment(name)}: ${format}, ${layout}`, [
      ...this.#fields(base, { shape }),
      realArray(`${base}_scale`, scale),
      realArray(`${base}_zero_point`, zeroPoint),
    ])
  }

  tensor({ id, name, format, height, width, channels, scale, zeroPoint, range }: IntegerTensor): string {
    const base = `${this.#prefix}_tensor_${id}`
    return this.#block(`tensor ${id}, ${comment(name)}: ${format}`, [
      ...this.#fields(base, { height, width, channels, range }),
      `#define ${base.toUpperCase()}_SCALE ${real(scale)}`,
      // A network input may have a fractional one; the integer ones of its channels are in its first layer.
      `#define ${base.toUpperCase()}_ZERO_POINT ${Number.isInteger(zeroPoint) ? integer(zeroPoint) : real(zeroPoint)}`,
    ])
  }

  instruction(index: number, instruction: Instruction): string {
    const { kind, name, ...fields } = instruction
    const base = `${this.#prefix}_${index}`
    return this.#block(`instruction ${index}, ${comment(name)}: ${kind}`, this.#fields(base, fields))
  }

  #block(title: string, lines: readonly string[]): string {
    return [`/* ${title} */`, ...lines, ''].join('\n')
  }

  /** One line or more for each number below a record; texts and proofs are left out. */
  #fields(base: string, record: object): string[] {
    return Object.entries(record).flatMap(([key, value]) =>
      key === 'bounds'
        ? []
        : this.#field(`${base}_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toLowerCase()}`, value),
    )
  }

  #field(name: string, value: unknown): string[] {
    if (typeof value === 'number') return [`#define ${name.toUpperCase()} ${integer(value)}`]
    if (ArrayBuffer.isView(value)) return [array(C_TYPES.get(value.constructor) as string, name, value as Integers)]
    if (Array.isArray(value)) {
      if (value.every((item) => typeof item === 'number'))
        return value.length > 0 ? [array('int32_t', name, value)] : []
      return [`#define ${name.toUpperCase()}_COUNT ${value.length}`, ...this.#fields(name, { ...value })]
    }
    if (typeof value !== 'object' || value === null) return []
    return isTensor(value) ? [`#define ${name.toUpperCase()}_TENSOR ${value.id}`] : this.#fields(name, value)
  }
}

/** Numbers on a line. */
const PER_LINE = 16

function list(literals: readonly string[]): string {
  const lines: string[] = []
  for (let i = 0; i < literals.length; i += PER_LINE) lines.push(`  ${literals.slice(i, i + PER_LINE).join(', ')}`)
  return lines.join(',\n')
}

function array(type: string, name: string, values: ArrayLike<number>): string {
  return `static const ${type} ${name}[${values.length}] = {\n${list(Array.from(values, integer))}\n};`
}

function realArray(name: string, values: readonly number[]): string {
  return `static const double ${name}[${values.length}] = {\n${list(values.map(real))}\n};`
}

/** The least int32 has no literal of its own. */
function integer(value: number): string {
  return value === -(2 ** 31) ? '(-2147483647 - 1)' : value < 0 ? `(${value})` : String(value)
}

/** The shortest decimal that reads back as the same double. */
function real(value: number): string {
  const text = String(value)
  const literal = /[.e]/.test(text) ? text : `${text}.0`
  return value < 0 ? `(${literal})` : literal
}
