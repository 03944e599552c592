/** `dyadic bench`: every instruction of the program is there, with its work; times are positive, no more is said of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  readonly share: number
  readonly gigamacs: number
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

  it('times each instruction of a bare program, with the work that the network has', async () => {
    const cost = JSON.parse((await dyadic(folder, ['cost', MODEL, '--json'])).stdout)
    const { code, stdout } = await dyadic(folder, ['bench', 'net.wasm', '--json', '-q'])
    const { integerMilliseconds, realMilliseconds, instructions, macs } = JSON.parse(stdout)
    expect([code, integerMilliseconds > 0, realMilliseconds > 0, macs]).toEqual([0, true, true, cost.totals.macs])
    const rows: Row[] = instructions
    expect(rows.map(({ kind }) => kind)).toEqual([
      ...['import', 'convolution', 'max-pool', 'convolution', 'convolution', 'depthwise', 'convolution', 'depthwise'],
      ...['convolution', 'convolution', 'average-pool', 'convolution', 'export'],
    ])
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['image', 'stem_conv', 'block2_depthwise_conv', 'average', 'classifier', 'logits', '']),
    )
    expect(rows.every(({ milliseconds }) => milliseconds > 0)).toBe(true)
    expect(rows[1].kernels).toEqual(['widen', 'convolve'])
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9)
    for (const { milliseconds, macs: work, gigamacs } of rows)
      expect(gigamacs * milliseconds * 1e6).toBeCloseTo(work, 3)
  })

  it('is a table for people', async () => {
    for (const model of [MODEL, 'net.wasm']) {
      const people = await dyadic(folder, ['bench', model])
      expect(people.stdout).toMatch(/^ {2}(whole|integers) +[\d.]+ ms, [\d.]+ GMAC\/s$/m)
      expect(people.stdout).toMatch(/^ {2}name +instruction +kernels +ms +share +MACs +GMAC\/s$/m)
    }
  })

  it('runs another runtime in turns where one is installed, and says how to get it where none is', async () => {
    const words = ['bench', 'net.wasm', '--against', 'onnxruntime-web', '--onnx', MODEL]
    const none = await dyadic(folder, words)
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('npm install --no-save onnxruntime-web')])
    const place = join(folder, 'node_modules', 'onnxruntime-web')
    mkdirSync(place, { recursive: true })
    const exports = { './wasm': './wasm.mjs', './package.json': './package.json' }
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'onnxruntime-web', version: '9.8.7', exports }))
    const runtime = `
      export const env = { wasm: {} }
      export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
      export const InferenceSession = {
        async create(bytes, { executionProviders }) {
          if (bytes.length < 100000 || executionProviders[0] !== 'wasm' || env.wasm.numThreads !== 1) throw new Error('no')
          return { async run({ image }) { if (image.dims.join() !== '1,1,28,28') throw new Error('not this shape') } }
        },
      }`
    writeFileSync(join(place, 'wasm.mjs'), runtime)
    const { code, stdout } = await dyadic(folder, [...words, '--json', '-q'])
    const { peers } = JSON.parse(stdout)
    expect([code, peers]).toMatchObject([0, [{ name: 'onnxruntime-web', version: '9.8.7' }]])
    expect([peers[0].milliseconds > 0, peers[0].ownMilliseconds > 0]).toEqual([true, true])
    writeFileSync(join(place, 'wasm.mjs'), runtime.replace('28,28', '9,9'))
    const other = await dyadic(folder, words)
    expect(other.stderr).toContain('onnxruntime-web does not run this network: not this shape')
  })

  it.each([
    [['net.wasm', '--against', 'tensorflow'], /Allowed choices are onnxruntime-web/],
    [['net.wasm', '--against', 'onnxruntime-web'], /--against needs --onnx <file>/],
    [['net.wasm', '--onnx', MODEL], /--onnx is for --against/],
    [[MODEL, '--against', 'onnxruntime-web'], /--against is for programs/],
    [['net.wasm', '--batch', '1'], /is a program; --batch would change nothing/],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await dyadic(folder, ['bench', ...words])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('refuses a plan for a program, and a file that is neither', async () => {
    const plan = await dyadic(folder, ['bench', 'net.wasm', '--plan', 'net.plan.json'])
    expect([plan.code, plan.stderr]).toEqual([2, expect.stringMatching(/is a program; --plan would change nothing/)])
    const other = await dyadic(folder, ['bench', 'net.d.ts'])
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/^error: "net.d.ts"/)
  })
})
