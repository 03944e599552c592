/**
 * The figures of a compiled module as every command reports them, and the gates on them. Bytes are counted on the finished
 * file, not on what the compiler meant to write.
 */
import { DyadicError, quoted } from '../error.ts'
import { elementBytes } from '../kernels/scalar/geometry.ts'
import type { IntegerGraph } from '../lower/integer-graph.ts'
import type { CompiledProgram } from '../program/compile.ts'
import { type ModuleFacts, verifyModule } from '../program/verify.ts'
import { counted, integer } from './format.ts'
import type { OptionValues } from './options.ts'

export interface ModuleSizes {
  readonly wasmBytes: number
  /** Bytes that data segments put into memory. */
  readonly weightBytes: number
  /** Bytes of the file outside its data section: instructions, manifest, seal. */
  readonly codeBytes: number
}

/** Sizes of a module file. */
export function moduleSizes(bytes: Uint8Array, facts: ModuleFacts): ModuleSizes {
  const data = facts.sections.find(({ name, custom }) => name === 'data' && !custom)?.bytes ?? 0
  return { wasmBytes: bytes.length, weightBytes: facts.dataBytes, codeBytes: bytes.length - data }
}

/** What the finished bytes are. Throws when a check of the module that dyadic itself has made fails. */
export function checkedFacts(program: CompiledProgram): ModuleFacts {
  const { ok, checks, facts } = verifyModule(program.wasm)
  if (ok && facts !== undefined) return facts
  const failed = checks.filter((check) => !check.ok).map(({ name, detail }) => `${name}: ${detail}`)
  throw new Error(`the linked module does not pass its own checks (${failed.join('; ')}); nothing was written`)
}

/** Entries of the largest values, for messages: `"conv1" 9,216 bytes`. */
function largest(entries: readonly (readonly [name: string, bytes: number])[]): string {
  return [...entries]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, bytes]) => `${quoted(name)} ${counted(bytes, 'byte')}`)
    .join(', ')
}

function weightEntries({ instructions }: IntegerGraph): [string, number][] {
  return instructions.flatMap((instruction): [string, number][] =>
    'weights' in instruction ? [[instruction.name, instruction.weights.length]] : [],
  )
}

function tensorEntries({ tensors }: IntegerGraph): [string, number][] {
  return tensors.map(({ name, height, width, channels, format }) => [
    name,
    height * width * channels * elementBytes(format),
  ])
}

/** Holds a program to `--max-bytes` and `--max-memory`. Throws `gate` naming every gate that is not met. */
export function checkSizeGates(program: CompiledProgram, gates: OptionValues<'maxBytes' | 'maxMemory'>): void {
  const { wasm, manifest, integerGraph } = program
  const { memory } = manifest
  const complaints: string[] = []
  if (gates.maxBytes !== undefined && wasm.length > gates.maxBytes)
    complaints.push(
      `the module has ${counted(wasm.length, 'byte')}, --max-bytes allows ${integer(gates.maxBytes)}; ` +
        `largest weights: ${largest(weightEntries(integerGraph))}`,
    )
  if (gates.maxMemory !== undefined && memory.bytes > gates.maxMemory)
    complaints.push(
      `the program needs ${counted(memory.bytes, 'byte')} of memory (${integer(memory.constantBytes)} of constants, ` +
        `${integer(memory.arenaBytes)} of values), --max-memory allows ${integer(gates.maxMemory)}; ` +
        `largest values: ${largest(tensorEntries(integerGraph))}; largest weights: ${largest(weightEntries(integerGraph))}`,
    )
  if (complaints.length > 0) throw new DyadicError('gate', `${complaints.join('\n  ')}\n  nothing was written`)
}
