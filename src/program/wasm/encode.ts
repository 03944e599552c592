/**
 * Records → bytes, for exactly what the linker writes: one module with one fixed memory, no import and no table. Same
 * record, same bytes; numbers in their shortest form, sections in the order of the specification, custom ones last.
 */
import { type FunctionType, type Global, HEADER } from './decode.ts'
import { VALUE_TYPES, type ValueType } from './instructions.ts'
import { ByteWriter } from './leb128.ts'

export interface EncodableModule {
  readonly types: readonly FunctionType[]
  /** Type index and body (local declarations and instructions, without its size). */
  readonly functions: readonly { readonly type: number; readonly body: Uint8Array }[]
  /** Minimum and maximum of the memory alike. */
  readonly pages: number
  /** Type, mutability and the bytes of the constant instruction without its `end`. */
  readonly globals: readonly (Omit<Global, 'initial'> & { readonly initial: Uint8Array })[]
  /** Exported in this order. */
  readonly exports: readonly { readonly name: string; readonly kind: 'function' | 'memory'; readonly index: number }[]
  readonly start: number | undefined
  /** Written as they are: active segments of memory 0. */
  readonly data: readonly { readonly offset: number; readonly chunks: readonly Uint8Array[] }[]
  readonly customSections: readonly { readonly name: string; readonly bytes: Uint8Array }[]
}

const VALUE_TYPE_BYTES = new Map<ValueType, number>(
  Object.entries(VALUE_TYPES).map(([byte, type]) => [type, Number(byte)]),
)
const KIND_BYTES = { function: 0, memory: 2 } as const
const OPCODE = { end: 0x0b, call: 0x10, i32Const: 0x41 } as const

/** A section: id, length, content. */
export function encodeSection(id: number, content: Uint8Array): Uint8Array {
  return new ByteWriter().byte(id).u32(content.length).raw(content).finish()
}

/** A custom section of that name. */
export function encodeCustomSection(name: string, bytes: Uint8Array): Uint8Array {
  return encodeSection(0, new ByteWriter().name(name).raw(bytes).finish())
}

/** The body of a function without parameters, results or locals that makes calls with constant i32 arguments, in order. */
export function encodeCalls(calls: readonly { function: number; arguments: readonly number[] }[]): Uint8Array {
  const writer = new ByteWriter().u32(0)
  for (const call of calls) {
    for (const argument of call.arguments) writer.byte(OPCODE.i32Const).s32(argument | 0)
    writer.byte(OPCODE.call).u32(call.function)
  }
  return writer.byte(OPCODE.end).finish()
}

function writeValueTypes(writer: ByteWriter, types: readonly ValueType[]): void {
  writer.u32(types.length)
  for (const type of types) writer.byte(VALUE_TYPE_BYTES.get(type) as number)
}

/** A section of items, or nothing when there is none. */
function vectorSection<Item>(
  id: number,
  items: readonly Item[],
  write: (writer: ByteWriter, item: Item) => void,
): Uint8Array {
  if (items.length === 0) return new Uint8Array()
  const writer = new ByteWriter().u32(items.length)
  for (const item of items) write(writer, item)
  return encodeSection(id, writer.finish())
}

/** The bytes of a module. The record is trusted: indices and sizes are the caller's duty. */
export function encodeModule(module: EncodableModule): Uint8Array {
  const file = new ByteWriter().raw(Uint8Array.from(HEADER))
  file.raw(
    vectorSection(1, module.types, (writer, type) => {
      writer.byte(0x60)
      writeValueTypes(writer, type.parameters)
      writeValueTypes(writer, type.results)
    }),
  )
  file.raw(vectorSection(3, module.functions, (writer, { type }) => writer.u32(type)))
  file.raw(vectorSection(5, [module.pages], (writer, pages) => writer.byte(1).u32(pages).u32(pages)))
  file.raw(
    vectorSection(6, module.globals, (writer, { type, mutable, initial }) =>
      writer
        .byte(VALUE_TYPE_BYTES.get(type) as number)
        .byte(mutable ? 1 : 0)
        .raw(initial)
        .byte(OPCODE.end),
    ),
  )
  file.raw(
    vectorSection(7, module.exports, (writer, { name, kind, index }) =>
      writer.name(name).byte(KIND_BYTES[kind]).u32(index),
    ),
  )
  if (module.start !== undefined) file.raw(encodeSection(8, new ByteWriter().u32(module.start).finish()))
  file.raw(vectorSection(10, module.functions, (writer, { body }) => writer.u32(body.length).raw(body)))
  file.raw(
    vectorSection(11, module.data, (writer, { offset, chunks }) => {
      writer
        .u32(0)
        .byte(OPCODE.i32Const)
        .s32(offset | 0)
        .byte(OPCODE.end)
      writer.u32(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
      for (const chunk of chunks) writer.raw(chunk)
    }),
  )
  for (const { name, bytes } of module.customSections) file.raw(encodeCustomSection(name, bytes))
  return file.finish()
}
