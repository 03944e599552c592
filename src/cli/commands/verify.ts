/** `dyadic verify`: what a program is, proven from its bytes, and that this host computes what was certified. */
import { nodeFiles } from '../../data/node-files.ts'
import { DyadicError, quoted } from '../../error.ts'
import type { ProgramManifest } from '../../program/manifest.ts'
import { runSelfTest } from '../../program/self-test.ts'
import { type ModuleFacts, type VerificationCheck, verifyModule } from '../../program/verify.ts'
import { moduleSizes } from '../artefact.ts'
import type { CommandDescription } from '../command.ts'
import { fields, integer } from '../format.ts'
import { loadProgram, type OpenProgram, sha256 } from '../model-file.ts'

const PAGE_BYTES = 65536

/** The manifest against the module that carries it. */
function checkManifest(manifest: ProgramManifest, facts: ModuleFacts): VerificationCheck {
  const name = 'manifest'
  const bytes = (facts.memoryPages.min ?? 0) * PAGE_BYTES
  const claimed = manifest.memory.bytes
  if (claimed !== bytes)
    return { name, ok: false, detail: `it says ${claimed} bytes of memory, the module has ${bytes}` }
  return {
    name,
    ok: true,
    detail: `${quoted(manifest.name)}, ${integer(bytes)} bytes of memory as the module has`,
  }
}

function checkSelfTest({ network, manifest }: OpenProgram): VerificationCheck {
  const name = 'self-test'
  const test = manifest.selfTest
  const found = runSelfTest(
    manifest.inputs,
    manifest.outputs,
    test,
    (inputs) => new Map(Object.entries(network.runInteger(Object.fromEntries(inputs)))),
  )
  const ok = found === test.sha256
  return {
    name,
    ok,
    detail: ok
      ? `this host computes the certified integers on ${test.samples} generated input${test.samples === 1 ? '' : 's'}, SHA-256 ${found}`
      : `this host computes ${found}, certified is ${test.sha256}`,
  }
}

function executedChecks(path: string, bytes: Uint8Array, facts: ModuleFacts): VerificationCheck[] {
  let program: OpenProgram
  try {
    program = loadProgram(path, bytes)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return [
      { name: 'manifest', ok: false, detail },
      { name: 'self-test', ok: false, detail: 'not checked: the program does not load' },
    ]
  }
  const checks = [checkManifest(program.manifest, facts)]
  try {
    checks.push(checkSelfTest(program))
  } catch (cause) {
    checks.push({ name: 'self-test', ok: false, detail: `it stops: ${cause instanceof Error ? cause.message : cause}` })
  }
  return checks
}

/** Whether a check could be made at all. */
function wasMade({ detail }: VerificationCheck): boolean {
  return !detail.startsWith('not checked')
}

function mark(check: VerificationCheck): string {
  if (check.ok) return 'ok  '
  return wasMade(check) ? 'FAIL' : '-   '
}

export const verifyCommand: CommandDescription<never> = {
  name: 'verify',
  summary: 'prove what a program is: no float, no import, fixed memory, intact, self-test',
  description:
    'Decodes a compiled .wasm with its own reader and checks that no byte has changed since it was written, that it has no ' +
    'import, no floating-point instruction or type and one memory of fixed size, then runs its self-test on this host. ' +
    'Exit code 5 when a check fails.',
  argument: ['model.wasm', 'a program written by `dyadic compile`'],
  options: [],
  examples: ['verify model.wasm', 'verify model.wasm --json'],
  async run({ argument: path, session }) {
    const bytes = await nodeFiles.read(path)
    const report = verifyModule(bytes)
    const { facts } = report
    const checks = [...report.checks]
    if (report.ok && facts !== undefined)
      checks.push(...(await session.blocking('self-test', () => executedChecks(path, bytes, facts))))
    else
      for (const name of ['manifest', 'self-test'])
        checks.push({ name, ok: false, detail: 'not checked: the module failed a check before' })
    const failed = checks.filter(({ ok }) => !ok)
    const ok = failed.length === 0
    return {
      json: {
        model: path,
        ok,
        checks,
        ...(facts && {
          floatOpcodes: facts.floatOpcodes,
          imports: facts.imports,
          memoryBytes: (facts.memoryPages.min ?? 0) * PAGE_BYTES,
          ...moduleSizes(bytes, facts),
        }),
        sha256: sha256(bytes),
      },
      text:
        `${quoted(path)}: ${ok ? 'verified' : 'NOT verified'}\n` +
        fields(checks.map((check): [string, string] => [`${mark(check)} ${check.name}`, check.detail])),
      ...(!ok && {
        error: new DyadicError(
          'verification',
          `${quoted(path)} is not what a dyadic program must be; failed: ${failed
            .filter(wasMade)
            .map(({ name }) => name)
            .join(', ')}`,
        ),
      }),
    }
  },
}
