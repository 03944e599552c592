/** Runs the built command `dyadic` as a shell would, in a folder of the test's own. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The file behind the command. */
export const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** The network and the cards that the repository ships. */
export const GLYPHS = fileURLToPath(new URL('../../examples/glyphs/', import.meta.url))
export const MODEL = `${GLYPHS}glyphs.onnx`
export const CALIBRATE = `${GLYPHS}glyphs.calibrate.card.json`
export const TEST = `${GLYPHS}glyphs.card.json`

if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is missing: run npm run build first`)

/** The variables that change what the command prints are set by the tests alone. */
export function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { CI: _ci, DYADIC_DEBUG: _debug, ...rest } = process.env
  return { ...rest, ...extra }
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command to its end; never throws for an exit code. */
export function dyadic(
  folder: string,
  parameters: readonly string[],
  extra: Record<string, string> = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [COMMAND, ...parameters],
      { cwd: folder, env: environment(extra), maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
  })
}
