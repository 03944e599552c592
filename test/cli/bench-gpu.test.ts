/** `dyadic bench` of a GPU program: every dispatch with its time, the tuner's table, and what is refused. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { createRandom } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { checkTiles } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dyadic } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-bench-gpu-'))
const bare = mkdtempSync(join(tmpdir(), 'dyadic-bench-bare-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
  rmSync(bare, { recursive: true })
})

beforeAll(() => {
  const random = createRandom(5)
  const builder = createBuilder('two layers', random)
  const layer = { window: { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } } as const
  const hidden = builder.convolution(builder.input(1, 1, 64), { ...layer, outputs: 24, weightFormat: 's4' })
  builder.output(builder.convolution(hidden, { ...layer, outputs: 10, weightFormat: 's4' }))
  const { header, constants } = emitGpuProgram(builder.graph())
  // The largest shader takes seconds to compile on a processor; two are enough to choose from.
  const shaders = header.shaders.filter(({ name }) => !name.endsWith('8x8'))
  const file = writeGpuProgram({ header: { ...header, shaders }, constants })
  for (const place of [folder, bare]) {
    writeFileSync(join(place, 'net.gpu'), file)
    writeFileSync(join(place, 'net.wasm'), 'no module')
  }
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('../../node_modules/webgpu', import.meta.url)), join(folder, 'node_modules/webgpu'))
})

interface Row {
  readonly name: string
  readonly shader: string
  readonly microseconds: number
  readonly share: number
}

describe('bench of a GPU program', () => {
  it('times a run and each dispatch, with the shaders of a table', async () => {
    const rules = [{ level: 'plain', tile: [8, 1], columns: [1, 16] }]
    writeFileSync(join(folder, 'given.json'), JSON.stringify({ schema: 1, rules }))
    const { code, stdout, stderr } = await dyadic(folder, ['bench', 'net.gpu', '--tiles', 'given.json', '--json', '-q'])
    expect([code, stderr]).toEqual([0, ''])
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({ command: 'bench', model: 'net.gpu', batch: 1, level: 'dot4', refused: [] })
    expect([found.runMilliseconds > 0, found.adapter !== '']).toEqual([true, true])
    const rows: Row[] = found.dispatches
    expect(rows.map(({ shader }) => shader)).toEqual([
      'import__plain',
      ...['gemv_dense4__dot4_1x8', 'gemv_dense4__plain_1x8', 'export__plain'],
    ])
    expect(rows.every(({ microseconds }) => microseconds >= 0)).toBe(true)
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9)
  })

  it('finds the fastest shader of each product', async () => {
    const tuned = await dyadic(folder, ['bench', 'net.gpu', '--tune-gpu', '--batch', '2', '-o', 'tiles.json'])
    expect([tuned.code, tuned.stderr]).toEqual([0, expect.stringContaining('wrote "tiles.json"')])
    expect(tuned.stdout).toMatch(/^ {2}name +rows × columns × depth +times +shader +µs$/m)
    expect(tuned.stdout).toMatch(/2 × 24 × 64 .*"gemv_dense4__dot4_(1|4)x8"/)
    const tiles = checkTiles(JSON.parse(readFileSync(join(folder, 'tiles.json'), 'utf8')))
    expect(tiles.rules).toHaveLength(2)
    for (const [i, columns] of [24, 16].entries())
      expect(tiles.rules[i]).toMatchObject({
        ...{ level: 'dot4', families: ['dense4'], rows: [2, 2], columns: [columns, columns], depth: [64, 64] },
      })
  })

  it('says how to get WebGPU where it is not installed', async () => {
    const { code, stderr } = await dyadic(bare, ['bench', 'net.gpu'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/needs the package webgpu.*npm install --no-save webgpu/)])
  })

  it('says that no adapter is there', async () => {
    const place = join(bare, 'none/node_modules/webgpu')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'package.json'), '{"name":"webgpu","type":"module","main":"index.js"}')
    writeFileSync(join(place, 'index.js'), 'export const create = () => ({ requestAdapter: async () => null })')
    const { code, stderr } = await dyadic(join(bare, 'none'), ['bench', '../net.gpu'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/webgpu gives no GPU: it finds no adapter/)])
  })

  it.each([
    ['{"schema":1,"rules":[{"level":"fast"}]}', /"wrong.json": rule 0 of the table of tiles has level "fast"/],
    ['{"schema":1,', /"wrong.json": a table of tiles/],
    ['{"schema":1,"rules":[],"rules":[]}', /"wrong.json": a table of tiles.*rules/],
  ])('refuses the table %s', async (text, message) => {
    writeFileSync(join(bare, 'wrong.json'), text)
    const { code, stderr } = await dyadic(bare, ['bench', 'net.gpu', '--tiles', 'wrong.json'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  })

  it.each([
    [['net.gpu', '--plan', 'plan.json'], /is a GPU program; --plan would change nothing/],
    [['net.gpu', '--against', 'onnxruntime-web'], /is a GPU program; --against would change nothing/],
    [['net.gpu', '-o', 'tiles.json'], /--out is for the table of --tune-gpu/],
    [['net.wasm', '--tune-gpu'], /--tune-gpu is for \.gpu programs; "net.wasm" is none/],
    [['net.wasm', '--tiles', 'tiles.json'], /--tiles is for \.gpu programs/],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await dyadic(bare, ['bench', ...words])
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('refuses a file that is cut', async () => {
    writeFileSync(join(bare, 'cut.gpu'), readFileSync(join(bare, 'net.gpu')).subarray(0, 5000))
    const { code, stderr } = await dyadic(bare, ['bench', 'cut.gpu'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: "cut.gpu": the GPU program's header/)])
  })
})
