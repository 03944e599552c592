/** Ctrl-C in the middle of a loop over data: exit code 130 at once, and no file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { COMMAND, environment, MODEL } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-interrupt-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('ends with 130 and leaves nothing', async () => {
  // Far more samples than the test has time for.
  const samples = { kind: 'glyphs', seed: 1, first: 0, count: 10_000_000 }
  writeFileSync(join(folder, 'endless.json'), JSON.stringify({ schema: 1, samples }))
  const parameters = [COMMAND, 'compile', MODEL, '--calibrate', 'endless.json', '-o', 'out/net.wasm', '--json']
  const child = spawn(process.execPath, parameters, { cwd: folder, env: environment() })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      stderr += text
      if (/^calibrate$/m.test(stderr)) resolve()
    })
  })
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  expect(code).toBe(130)
  expect(stderr).toMatch(/interrupted; nothing was written\n$/)
  expect(JSON.parse(stdout)).toMatchObject({ schema: 1, command: 'compile', error: { code: 'interrupted' } })
  expect(readdirSync(folder)).toEqual(['endless.json'])
})
