/** Ctrl-C in the middle of every long command: exit code 130 at once, and nothing half-written. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALIBRATE, COMMAND, dyadic, environment, MODEL, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-interrupt-'))
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(async () => {
  // Far more samples than the test has time for.
  const samples = { kind: 'glyphs', seed: 1, first: 0, count: 400_000 }
  writeFileSync(join(folder, 'endless.json'), JSON.stringify({ schema: 1, samples }))
  const words = ['compile', MODEL, '--calibrate', CALIBRATE, '--samples', '4', '--emit', 'plan', '-o', 'net.wasm', '-q']
  expect((await dyadic(folder, words)).code).toBe(0)
})

/** Starts a command, interrupts it when stderr says that the stage has begun, and waits for its end. */
async function interrupted(words: readonly string[], stage: string) {
  const child = spawn(process.execPath, [COMMAND, ...words], { cwd: folder, env: environment() })
  const closed = once(child, 'close')
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text) => {
      stderr += text
      if (new RegExp(`^${stage}$`, 'm').test(stderr)) resolve()
    })
    closed.then(() => reject(new Error(`it ended before ${stage}: ${stderr}`)))
  })
  child.kill('SIGINT')
  const [code] = await closed
  return { code, stdout, stderr }
}

const endless = ['--calibrate', 'endless.json']
const plan = ['--plan', 'net.plan.json']

describe('Ctrl-C', () => {
  it.each<[words: string[], stage: string]>([
    [['compile', MODEL, ...endless, '-o', 'out/other.wasm'], 'calibrate'],
    [
      ['compile', MODEL, ...plan, '-o', 'o.wasm', '--data', 'endless.json', '--limit', '400000', '--report', 'o.html'],
      'report',
    ],
    [['quantize', MODEL, ...endless, '-o', 'out/other.plan.json'], 'calibrate'],
    [['quantize', MODEL, '--calibrate', CALIBRATE, '--eval', 'endless.json', '-o', 'o.plan.json'], 'evaluate'],
    [['export', MODEL, ...endless, '-o', 'other.onnx'], 'calibrate'],
    [['compare', MODEL, ...plan, '--data', 'endless.json', '--limit', '400000', '--report', 'o.html'], 'compare'],
    [['eval', MODEL, '--data', 'endless.json'], 'evaluate'],
    [['eval', 'net.wasm', '--data', 'endless.json'], 'evaluate'],
    [['search', MODEL, ...endless, '--budget', 'bytes<=70%', '-o', 'o.plan.json', '--plot', 'o.svg'], 'calibrate'],
    [
      ['study', MODEL, '--data', 'endless.json', '--formats', 'int8', '--for', 'weights', '--report', 'o.html'],
      'read samples',
    ],
    [['study', MODEL, '--data', TEST, '--formats', 'int8', '--for', 'weights', '--report', 'o.html'], 'float network'],
    [['bench', MODEL], 'time'],
    [['bench', 'net.wasm'], 'time'],
  ])('ends %j in its stage "%s" and leaves nothing', async (words, stage) => {
    const before = readdirSync(folder, { recursive: true }).sort()
    const { code, stdout, stderr } = await interrupted([...words, '--json'], stage)
    expect([code, stderr]).toEqual([130, expect.stringMatching(/interrupted; no result was written\n$/)])
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, command: words[0], error: { code: 'interrupted' } })
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before)
  })

  it('keeps what a search has measured, whole, and says so', async () => {
    const words = ['search', MODEL, '--calibrate', CALIBRATE, '--budget', 'bytes<=70%', '-o', 's.plan.json']
    const { code, stderr } = await interrupted(words, 'measure layers')
    expect([code, stderr]).toEqual([130, expect.stringMatching(/what was measured is in "s\.sensitivities\.json"/)])
    // Ctrl-C may come before the first layer has been measured.
    const left = readdirSync(folder).filter((name) => /^s\.|\.tmp$/.test(name))
    expect(['', 's.sensitivities.json']).toContain(left.join())
    for (const name of left) expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toBeTypeOf('object')
  })

  it('is not what it is when nobody reads the notes any more', async () => {
    const words = [COMMAND, 'compile', MODEL, '--calibrate', CALIBRATE, '-o', 'unread.wasm']
    const child = spawn(process.execPath, words, { cwd: folder, env: environment() })
    child.stderr.once('data', () => child.stderr.destroy())
    child.stdout.resume()
    const [code] = await once(child, 'close')
    expect([code, readdirSync(folder).includes('unread.wasm')]).toEqual([0, true])
  })

  it('leaves the old file where there was one', async () => {
    const before = readFileSync(join(folder, 'net.wasm'))
    expect((await interrupted(['compile', MODEL, ...endless, '-o', 'net.wasm'], 'calibrate')).code).toBe(130)
    expect(readFileSync(join(folder, 'net.wasm')).equals(before)).toBe(true)
  })
})
