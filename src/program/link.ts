/**
 * Links a program: from the kernel module (compiled AssemblyScript) it keeps the functions that the description's calls
 * reach, gives them a memory of fixed size, adds the generated start function and `run`, the data and the custom
 * sections. The result imports nothing and exports `memory` and `run`. Deterministic: same inputs, same bytes.
 */
import { DyadicError, quoted } from '../error.ts'
import { type DataSegment, type KernelCall, type ModuleDescription, PAGE_BYTES } from './module.ts'
import { type DecodedModule, decodeModule, type FunctionBody, type FunctionType } from './wasm/decode.ts'
import { type EncodableModule, encodeCalls, encodeModule } from './wasm/encode.ts'
import { type Relocation, relocatedSpace, relocateExpression, walkExpression } from './wasm/instructions.ts'
import { ByteReader } from './wasm/leb128.ts'

const MAXIMUM_PAGES = 65536
/** Engines accept at most this many data segments. */
const MAXIMUM_SEGMENTS = 100_000

const REFUSED_INSTRUCTION = /^(call_indirect|memory\.(grow|init)|data\.drop|elem\.drop|table\..*)$/

function refuse(message: string): never {
  throw new DyadicError('refused', message)
}

/** Function index of every exported kernel; refuses a module that is more than kernels over an imported memory. */
function kernelsOf(module: DecodedModule): Map<string, number> {
  const [memory] = module.imports
  if (module.imports.length !== 1 || memory.kind !== 'memory' || memory.module !== 'env' || memory.name !== 'memory') {
    const found = module.imports.map((item) => `${item.kind} ${quoted(`${item.module}.${item.name}`)}`).join(', ')
    refuse(`the kernel module imports ${found || 'nothing'}; it must import the memory env.memory and nothing else`)
  }
  if (module.memories.length > 0) refuse('the kernel module defines a second memory')
  if (module.tables.length > 0 || module.elementSegments > 0)
    refuse('the kernel module has a table; kernels may not take the address of a function')
  if (module.data.length > 0)
    refuse(
      `the kernel module has ${module.data.length} static data segments, which would collide with the program's memory; ` +
        'pass addresses as arguments instead of static arrays or strings',
    )
  if (module.start !== undefined)
    refuse('the kernel module has a start function; initialise globals with constants only')
  return new Map(module.exports.filter((item) => item.kind === 'function').map((item) => [item.name, item.index]))
}

/** Checks that every call names a kernel and passes one 32-bit integer for each of its i32 parameters. */
function checkCalls(module: DecodedModule, kernels: ReadonlyMap<string, number>, calls: readonly KernelCall[]): void {
  for (const call of calls) {
    const index =
      kernels.get(call.kernel) ??
      refuse(`no kernel ${quoted(call.kernel)}; there are ${[...kernels.keys()].map(quoted).join(', ')}`)
    const { parameters, results } = module.types[module.bodies[index].type]
    if (results.length > 0 || parameters.some((type) => type !== 'i32'))
      refuse(
        `kernel ${quoted(call.kernel)} has type (${parameters}) → (${results}); kernels take i32 and return nothing`,
      )
    if (parameters.length !== call.arguments.length)
      refuse(`kernel ${quoted(call.kernel)} takes ${parameters.length} arguments, not ${call.arguments.length}`)
    for (const [position, value] of call.arguments.entries())
      if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32)
        refuse(`argument ${position} of a call of ${quoted(call.kernel)} is ${value}, not a 32-bit integer`)
  }
}

function expressionOf(module: DecodedModule, body: FunctionBody): ByteReader {
  return new ByteReader(module.bytes, body.expression, body.end)
}

/** Old indices of the functions, globals and types that `roots` reach by direct calls, in ascending order. */
function reach(module: DecodedModule, roots: readonly number[]): Record<keyof Relocation, number[]> {
  const found = { functions: new Set(roots), globals: new Set<number>(), types: new Set<number>() }
  // A set's iterator also visits what is added while it runs.
  for (const index of found.functions) {
    const body = module.bodies[index]
    found.types.add(body.type)
    for (const instruction of walkExpression(expressionOf(module, body))) {
      const { name } = instruction.opcode
      if (REFUSED_INSTRUCTION.test(name))
        refuse(`function ${index} of the kernel module uses ${name}, which a program with fixed memory may not`)
      const space = relocatedSpace(instruction)
      if (space === undefined) continue
      const target = instruction.operands[0] as number
      if (target >= { functions: module.bodies, globals: module.globals, types: module.types }[space].length)
        refuse(`function ${index} of the kernel module: ${name} of index ${target}, which does not exist`)
      found[space].add(target)
    }
  }
  const sorted = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b)
  return { functions: sorted(found.functions), globals: sorted(found.globals), types: sorted(found.types) }
}

/** Types in order, equal ones once, and where each old type and `() → ()` went. */
function mergeTypes(module: DecodedModule, used: readonly number[]) {
  const types: FunctionType[] = []
  const places = new Map<string, number>()
  const place = (type: FunctionType) => {
    const key = `${type.parameters}:${type.results}`
    const known = places.get(key)
    if (known !== undefined) return known
    places.set(key, types.length)
    return types.push(type) - 1
  }
  const relocation = new Map(used.map((index) => [index, place(module.types[index])]))
  return { types, relocation, procedure: place({ parameters: [], results: [] }) }
}

function mergeSegments(segments: readonly DataSegment[], pages: number): EncodableModule['data'] {
  const merged: { offset: number; chunks: Uint8Array[] }[] = []
  let end = 0
  for (const { offset, bytes } of segments) {
    if (!Number.isInteger(offset) || offset < end)
      refuse(`data at ${offset} begins before the end of the segment before it, ${end}; segments must be sorted`)
    const last = merged.at(-1)
    const adjacent = last !== undefined && offset === end
    end = offset + bytes.length
    if (end > pages * PAGE_BYTES) refuse(`data at ${offset} ends at ${end}, outside a memory of ${pages} pages`)
    if (bytes.length === 0) continue
    if (adjacent) last.chunks.push(bytes)
    else merged.push({ offset, chunks: [bytes] })
  }
  if (merged.length > MAXIMUM_SEGMENTS)
    throw new DyadicError('limit', `${merged.length} separate data segments, engines accept ${MAXIMUM_SEGMENTS}`)
  return merged
}

/**
 * Links the kernels that `description` calls into one module: imports nothing, exports `memory` (`description.pages`
 * pages, never more) and `run` (no parameters, no results). Data segments must be sorted by offset, without overlap and
 * inside the memory. Throws `refused` for a kernel module with other imports, tables, static data, a start function or a
 * memory that grows, for an unknown kernel and for arguments that do not fit it; `limit` for too many segments.
 */
export function link(kernelModule: Uint8Array, description: ModuleDescription): Uint8Array {
  const { pages } = description
  if (!Number.isInteger(pages) || pages < 1 || pages > MAXIMUM_PAGES)
    refuse(`a memory of ${pages} pages; there must be 1 to ${MAXIMUM_PAGES}`)
  const module = decodeModule(kernelModule)
  const kernels = kernelsOf(module)
  const calls = [...description.start, ...description.run]
  checkCalls(module, kernels, calls)

  const indexOf = (call: KernelCall) => kernels.get(call.kernel) as number
  const used = reach(module, calls.map(indexOf))
  const { types, relocation: typePlaces, procedure } = mergeTypes(module, used.types)
  const places = (indices: readonly number[]) => new Map(indices.map((old, place) => [old, place]))
  const relocation: Relocation = {
    functions: places(used.functions),
    globals: places(used.globals),
    types: typePlaces,
  }
  const functions = used.functions.map((index) => {
    const body = module.bodies[index]
    return {
      type: typePlaces.get(body.type) as number,
      body: relocateExpression(expressionOf(module, body), body.start, relocation),
    }
  })
  const addCalls = (list: readonly KernelCall[]) =>
    functions.push({
      type: procedure,
      body: encodeCalls(
        list.map((call) => ({
          function: relocation.functions.get(indexOf(call)) as number,
          arguments: call.arguments,
        })),
      ),
    }) - 1
  const start = description.start.length > 0 ? addCalls(description.start) : undefined
  const run = addCalls(description.run)

  return encodeModule({
    types,
    functions,
    pages,
    globals: used.globals.map((index) => {
      const { type, mutable, initial } = module.globals[index]
      if (initial.opcode.name === 'global.get')
        return refuse(`global ${index} of the kernel module starts as another global; use a constant`)
      return { type, mutable, initial: module.bytes.subarray(initial.start, initial.end) }
    }),
    exports: [
      { name: 'memory', kind: 'memory', index: 0 },
      { name: 'run', kind: 'function', index: run },
    ],
    start,
    data: mergeSegments(description.data, pages),
    customSections: description.customSections,
  })
}
