/**
 * What a finished module is, read from its bytes alone: {@link inspectModule} counts, {@link verifyModule} judges. Nothing
 * is executed and nothing of the manifest is believed. Float is what touches a value or lane of type f32 or f64, by
 * instruction name, and every such type in a signature, local, global or block; loads, stores, shuffles and bitwise
 * operations of whole v128 values are neutral.
 */
import { quoted } from '../error.ts'
import { PAGE_BYTES } from './module.ts'
import { checkSeal, SEAL_NAME } from './seal.ts'
import { type DecodedModule, decodeModule, type Export, type FunctionType } from './wasm/decode.ts'
import { type ValueType, valueType, walkExpression } from './wasm/instructions.ts'
import { ByteReader } from './wasm/leb128.ts'

export interface ModuleFacts {
  readonly imports: number
  /** Instructions of all functions that touch a floating-point value, and constant initial values that do. */
  readonly floatOpcodes: number
  /** Floating-point types in signatures, imports excluded, locals, globals and blocks. */
  readonly floatTypes: number
  /** Pages of memory 0; undefined without a memory, or without a maximum. */
  readonly memoryPages: { readonly min: number | undefined; readonly max: number | undefined }
  /** Memories the module defines. */
  readonly memories: number
  readonly exports: readonly Export[]
  /** The type of the exported function `run`, if there is one. */
  readonly runType: FunctionType | undefined
  readonly functions: number
  /** Bytes of the whole code section, header included. */
  readonly codeBytes: number
  /** Bytes that data segments put into memory. */
  readonly dataBytes: number
  /** Active data segments that do not lie within the minimum memory. */
  readonly dataOutside: number
  /** Instructions of all functions by name. */
  readonly opcodes: ReadonlyMap<string, number>
  /** Instructions of relaxed SIMD: their result may depend on the host. */
  readonly relaxedOpcodes: number
  readonly memoryGrow: number
  readonly indirectCalls: number
  /** Tables and element segments. */
  readonly tables: number
  /** In file order; `bytes` includes the header. */
  readonly sections: readonly { readonly name: string; readonly custom: boolean; readonly bytes: number }[]
}

/** One claim about a file, and what was found. */
export interface VerificationCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Everything that was checked of a file. */
export interface VerificationReport {
  /** Every check holds. */
  readonly ok: boolean
  readonly checks: readonly VerificationCheck[]
  /** Undefined when the file does not decode. */
  readonly facts: ModuleFacts | undefined
}

const isFloat = (type: ValueType) => type === 'f32' || type === 'f64'

function countInstructions(module: DecodedModule) {
  const opcodes = new Map<string, number>()
  let float = 0
  let relaxed = 0
  let blockTypes = 0
  for (const body of module.bodies)
    for (const { opcode, operands } of walkExpression(new ByteReader(module.bytes, body.expression, body.end))) {
      opcodes.set(opcode.name, (opcodes.get(opcode.name) ?? 0) + 1)
      if (opcode.float) float++
      if (opcode.relaxed) relaxed++
      // A block's type as an index is counted with the types.
      if (opcode.immediates[0] === 'block-type') {
        const type = valueType((operands[0] as number) + 0x80)
        if (type !== undefined && isFloat(type)) blockTypes++
      }
    }
  for (const { initial } of module.globals) if (initial.opcode.float) float++
  return { opcodes, float, relaxed, blockTypes }
}

function factsOf(module: DecodedModule): ModuleFacts {
  const { opcodes, float, relaxed, blockTypes } = countInstructions(module)
  const signatures = module.types.flatMap((type) => [...type.parameters, ...type.results]).filter(isFloat).length
  const locals = module.bodies
    .flatMap((body) => body.locals)
    .reduce((sum, { count, type }) => sum + (isFloat(type) ? count : 0), 0)
  const [memory] = [
    ...module.imports.flatMap((item) => (item.kind === 'memory' ? item.limits : [])),
    ...module.memories,
  ]
  const available = (memory?.minimum ?? 0) * PAGE_BYTES
  const run = module.exports.find((item) => item.name === 'run' && item.kind === 'function')
  const importedFunctions = module.imports.filter((item) => item.kind === 'function').length
  const body = run === undefined ? undefined : module.bodies[run.index - importedFunctions]
  const sections = module.sections.map(({ id, name, start, end }) => ({ name, custom: id === 0, bytes: end - start }))
  return {
    imports: module.imports.length,
    floatOpcodes: float,
    floatTypes: signatures + locals + blockTypes + module.globals.filter((global) => isFloat(global.type)).length,
    memoryPages: { min: memory?.minimum, max: memory?.maximum },
    memories: module.memories.length,
    exports: module.exports,
    runType: body && module.types[body.type],
    functions: module.bodies.length,
    codeBytes: sections.find((section) => !section.custom && section.name === 'code')?.bytes ?? 0,
    dataBytes: module.data.reduce((sum, { bytes }) => sum + bytes.length, 0),
    dataOutside: module.data.filter(({ offset, bytes }) => offset !== undefined && offset + bytes.length > available)
      .length,
    opcodes,
    relaxedOpcodes: relaxed,
    memoryGrow: opcodes.get('memory.grow') ?? 0,
    indirectCalls: opcodes.get('call_indirect') ?? 0,
    tables: module.tables.length + module.elementSegments,
    sections,
  }
}

/** Decodes a module and counts what is in it. Throws `refused` when it does not decode strictly. */
export function inspectModule(bytes: Uint8Array): ModuleFacts {
  return factsOf(decodeModule(bytes))
}

function attempt<Value>(action: () => Value): { value: Value } | { reason: string } {
  try {
    return { value: action() }
  } catch (cause) {
    return { reason: cause instanceof Error ? cause.message : String(cause) }
  }
}

function checkSealed(bytes: Uint8Array, facts: ModuleFacts | undefined): VerificationCheck {
  const result = checkSeal(bytes)
  const name = 'seal'
  if (!result.ok) return { name, ok: false, detail: result.reason }
  const last = facts?.sections.at(-1)
  if (facts !== undefined && !(last?.custom && last.name === SEAL_NAME))
    return { name, ok: false, detail: 'the seal lies inside another section' }
  return { name, ok: true, detail: `every byte is as sealed, SHA-256 ${result.sha256}` }
}

/** Claims that follow from the facts: name, whether it holds, what was found. */
function judge(facts: ModuleFacts): [name: string, ok: boolean, detail: string][] {
  const { min, max } = facts.memoryPages
  const names = facts.exports.map((item) => `${item.kind} ${quoted(item.name)}`).sort()
  const procedure = facts.runType?.parameters.length === 0 && facts.runType.results.length === 0
  return [
    ['imports', facts.imports === 0, `${facts.imports} imports`],
    [
      'float',
      facts.floatOpcodes === 0 && facts.floatTypes === 0,
      `${facts.floatOpcodes} float instructions and ${facts.floatTypes} float types in ${facts.functions} functions`,
    ],
    [
      'relaxed',
      facts.relaxedOpcodes === 0,
      `${facts.relaxedOpcodes} relaxed SIMD instructions, whose results may depend on the host`,
    ],
    [
      'memory',
      facts.memories === 1 && facts.imports === 0 && min === max && facts.memoryGrow === 0,
      `${facts.memories} memories, ${min ?? 'no'} to ${max ?? 'any number of'} pages, ${facts.memoryGrow} memory.grow`,
    ],
    ['data', facts.dataOutside === 0, `${facts.dataBytes} bytes, ${facts.dataOutside} segments outside the memory`],
    [
      'exports',
      names.join() === 'function "run",memory "memory"' && procedure,
      `${names.join(', ') || 'nothing'}${facts.runType && !procedure ? '; run takes or returns values' : ''}`,
    ],
    [
      'tables',
      facts.tables === 0 && facts.indirectCalls === 0,
      `${facts.tables} tables and element segments, ${facts.indirectCalls} indirect calls`,
    ],
  ]
}

/** Names of the checks that need the decoded module, for a report on one that does not decode. */
const FACT_CHECKS = ['imports', 'float', 'relaxed', 'memory', 'data', 'exports', 'tables']

/**
 * Checks a finished module: `seal` (no byte changed), `structure` (decodes strictly), `imports` (none), `float` (no
 * instruction, no type), `relaxed` (no instruction whose result may depend on the host), `memory` (one, fixed, never grown), `data` (inside it), `exports` (`memory` and `run` without
 * parameters or results, nothing else), `tables` (no table, no indirect call), `engine` (this host's validator accepts
 * it). Never throws: what cannot be read fails with the reason.
 */
export function verifyModule(bytes: Uint8Array): VerificationReport {
  const decoded = attempt(() => inspectModule(bytes))
  const facts = 'value' in decoded ? decoded.value : undefined
  const checks: VerificationCheck[] = [
    checkSealed(bytes, facts),
    {
      name: 'structure',
      ok: facts !== undefined,
      detail: 'value' in decoded ? `${decoded.value.sections.length} sections decode strictly` : decoded.reason,
    },
  ]
  if (facts !== undefined) for (const [name, ok, detail] of judge(facts)) checks.push({ name, ok, detail })
  else for (const name of FACT_CHECKS) checks.push({ name, ok: false, detail: 'not checked: it does not decode' })
  const valid = attempt(() => WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>))
  const ok = 'value' in valid && valid.value
  checks.push({
    name: 'engine',
    ok,
    detail: ok
      ? "this host's validator accepts it"
      : `this host's validator refuses it${'reason' in valid ? `: ${valid.reason}` : ''}`,
  })
  return { ok: checks.every((check) => check.ok), checks, facts }
}
