/** `dyadic bench`: every instruction of the program is there, with its work; times are positive, no more is said of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALIBRATE, dyadic, MODEL } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Row {
  readonly name: string
  readonly kind: string
  readonly kernels: readonly string[]
  readonly milliseconds: number
  readonly macs: number
}

beforeAll(async () => {
  const words = [
    'compile',
    MODEL,
    '--calibrate',
    CALIBRATE,
    '--samples',
    '16',
    '-o',
    'net.wasm',
    '--emit',
    'plan',
    '-q',
  ]
  expect((await dyadic(folder, words)).code).toBe(0)
})

describe('bench', () => {
  it('times each instruction of a network, by a plan or without', async () => {
    const cost = JSON.parse((await dyadic(folder, ['cost', MODEL, '--json'])).stdout)
    for (const [plan, words] of [
      ['nominal', []],
      ['net.plan.json', ['--plan', 'net.plan.json']],
    ] as const) {
      const { code, stdout } = await dyadic(folder, ['bench', MODEL, ...words, '--json', '-q'])
      const found = JSON.parse(stdout)
      const rows: Row[] = found.instructions
      expect([code, found.plan, found.macs]).toEqual([0, plan, cost.totals.macs])
      expect(found.wholeMilliseconds).toBeGreaterThan(0)
      expect(rows.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['import', 'convolution', 'depthwise', 'export']),
      )
      expect(rows.filter(({ macs }) => macs > 0).reduce((sum, { macs }) => sum + macs, 0)).toBe(cost.totals.macs)
      for (const { kind, kernels, milliseconds } of rows) {
        expect(milliseconds > 0).toBe(kernels.length > 0)
        if (kind === 'convolution') expect(kernels.join()).toMatch(/convolve/)
      }
    }
  })

  it('times a program as a whole', async () => {
    const { code, stdout } = await dyadic(folder, ['bench', 'net.wasm', '--json'])
    const { integerMilliseconds, realMilliseconds } = JSON.parse(stdout)
    expect([code, integerMilliseconds > 0, realMilliseconds > 0]).toEqual([0, true, true])
    const people = await dyadic(folder, ['bench', MODEL])
    expect(people.stdout).toMatch(/^ {2}whole +[\d.]+ ms, [\d.]+ GMAC\/s$/m)
    expect(people.stdout).toMatch(/^ {2}value +instruction +kernels +ms +share +MACs +GMAC\/s$/m)
  })

  it('refuses a plan for a program, and a file that is neither', async () => {
    const plan = await dyadic(folder, ['bench', 'net.wasm', '--plan', 'net.plan.json'])
    expect([plan.code, plan.stderr]).toEqual([2, expect.stringMatching(/is a program; --plan would change nothing/)])
    const other = await dyadic(folder, ['bench', 'net.d.ts'])
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/^error: "net.d.ts"/)
  })
})
