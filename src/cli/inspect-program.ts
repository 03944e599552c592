/** What a `.wasm` file holds, as `inspect` says it: ports, sizes, sections and the certificate's summary. It judges nothing. */
import { quoted } from '../error.ts'
import type { ProgramPort } from '../program/manifest.ts'
import { inspectModule } from '../program/verify.ts'
import { moduleSizes } from './artefact.ts'
import type { CommandResult } from './command.ts'
import { counted, fields, integer, table } from './format.ts'
import { about, sha256 } from './model-file.ts'
import { readManifest } from './read-manifest.ts'

function port({ name, format, shape, scale, zeroPoint }: ProgramPort): string {
  const numbers = (list: readonly number[]): string =>
    list.length > 4 ? `${counted(list.length, 'value')}` : list.join(', ')
  return `${quoted(name)} ${format} [${shape.join(', ')}], real = (integer - ${numbers(zeroPoint)}) × ${numbers(scale)}`
}

/** Throws `refused` when the file does not decode, or is not a program of dyadic. */
export function inspectProgram(path: string, bytes: Uint8Array): CommandResult {
  const facts = about(path, () => inspectModule(bytes))
  const manifest = about(path, () => readManifest(bytes))
  const sizes = moduleSizes(bytes, facts)
  const { certificate, memory, plan } = manifest
  return {
    json: {
      model: path,
      format: 'wasm',
      name: manifest.name,
      bytes: bytes.length,
      sha256: sha256(bytes),
      ...sizes,
      memoryBytes: memory.bytes,
      floatOpcodes: facts.floatOpcodes,
      imports: facts.imports,
      functions: facts.functions,
      sections: facts.sections,
      opcodes: Object.fromEntries(facts.opcodes),
      manifest,
    },
    text:
      `${quoted(path)}: program ${quoted(manifest.name)}, written by dyadic ${quoted(manifest.dyadic)}\n` +
      fields([
        ['file', `${counted(bytes.length, 'byte')}, SHA-256 ${sha256(bytes)}`],
        ['inputs', manifest.inputs.map(port).join('\n')],
        ['outputs', manifest.outputs.map(port).join('\n')],
        ['weights', `${counted(sizes.weightBytes, 'byte')} of data`],
        ['code', `${counted(sizes.codeBytes, 'byte')} beside the data, ${counted(facts.functions, 'function')}`],
        [
          'memory',
          `${counted(memory.bytes, 'byte')}: ${integer(memory.constantBytes)} of constants, ${integer(memory.arenaBytes)} of values`,
        ],
        ['float', `${counted(facts.floatOpcodes, 'instruction')}, ${counted(facts.imports, 'import')}`],
        ['plan', `SHA-256 ${plan}`],
        [
          'certificate',
          `integer graph SHA-256 ${certificate.integerGraph}\n` +
            `largest accumulator ${integer(certificate.largestAccumulator)}, ${certificate.headroomBits} bits to spare in int32`,
        ],
      ]) +
      '\n' +
      table(
        ['section', 'bytes'],
        facts.sections.map(({ name, custom, bytes: size }) => [custom ? quoted(name) : name, integer(size)]),
      ) +
      '\n`dyadic verify` proves what this page only reports.\n',
  }
}
