/** `dyadic formats` and `dyadic formats compare`, as a shell runs them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/cli/npy-file.ts'
import { dyadic } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-formats-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('dyadic formats', () => {
  it('lists every family', async () => {
    const { code, stdout } = await dyadic(folder, ['formats'])
    expect(code).toBe(0)
    for (const text of ['integers\n', 'minifloats\n', 'adaptive\n', 'blocks\n', 'e4m3fn', 'nvfp4', '[u]flint<bits>'])
      expect(stdout).toContain(text)
    const json = JSON.parse((await dyadic(folder, ['formats', '--json'])).stdout)
    expect(json).toMatchObject({ schema: 1, command: 'formats' })
    expect(json.formats.find(({ name }: { name: string }) => name === 'nvfp4')).toMatchObject({
      family: 'blocks',
      bits: 4.5,
    })
  })

  it('prints record, bits, values and plot of a format', async () => {
    const { code, stdout } = await dyadic(folder, ['formats', 'e2m1'])
    expect(code).toBe(0)
    expect(stdout).toContain(' s  e  e  m')
    expect(stdout).toContain('0:  0   0.5   1   1.5   2   3   4   6')
    expect(stdout).toContain('|█         █     █    █  █ █  █  █ █  █  █ █     █    █         █|')
    const json = JSON.parse((await dyadic(folder, ['formats', 'e4m3fn', '--json'])).stdout)
    expect(json.format).toMatchObject({
      bits: 8,
      nanCode: 127,
      infinityCode: null,
      onOverflow: 'nan',
      rounding: 'nearest-even',
    })
    expect(json.facts).toMatchObject({ distinct: 253, highest: 448, leastPositive: 2 ** -9 })
    expect(json.values).toHaveLength(256)
    expect([json.values[1], json.values[127], json.values[128]]).toEqual([2 ** -9, 'NaN', '-0'])
    for (const name of ['tf32', 'uint8-zero-128', 'nvfp4', 'dfp16'])
      expect((await dyadic(folder, ['formats', name])).code).toBe(0)
  })

  it('refuses other names with the known ones', async () => {
    const { code, stderr } = await dyadic(folder, ['formats', 'fp8'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/no format is called "fp8"\n {2}integers: int2, .*\n {2}minifloats: e4m3fn/)
    const wrong = await dyadic(folder, ['formats', 'compare', 'x.npy', '--formats', 'e2m1,e4m3'])
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('e4m3-ieee, e4m3fn, e4m3fnuz, e4m3-finite')
  })
})

describe('dyadic formats compare', () => {
  const values = Float32Array.from(
    { length: 3000 },
    (_, i) => Math.sin(i * 12.9898) * Math.exp(2 * Math.sin(i * 78.233)),
  )
  writeFileSync(join(folder, 'tensor.npy'), writeNpy(values, [30, 100]))

  it('ranks formats and says which scale', async () => {
    const { code, stdout } = await dyadic(folder, ['formats', 'compare', 'tensor.npy'])
    expect(code).toBe(0)
    expect(stdout).toContain('[30, 100], 3,000 values')
    const json = JSON.parse(
      (
        await dyadic(folder, [
          'formats',
          'compare',
          'tensor.npy',
          '--formats',
          'int4-symmetric,mxint8,e2m1,float16',
          '--json',
        ])
      ).stdout,
    )
    expect(json).toMatchObject({ schema: 1, command: 'formats compare', tensor: 'tensor.npy', shape: [30, 100] })
    const names = json.formats.map(({ name }: { name: string }) => name)
    expect(names.slice(0, 2)).toEqual(['float16', 'mxint8'])
    for (const score of json.formats) {
      expect(score.sqnr).toBeGreaterThanOrEqual(score.sqnrAtLargest)
      expect(['largest magnitude', 'search', 'own rule']).toContain(score.scaling)
    }
    for (let i = 1; i < 4; i++) expect(json.formats[i - 1].sqnr).toBeGreaterThanOrEqual(json.formats[i].sqnr)
  })

  it('refuses what is no tensor of finite reals', async () => {
    writeFileSync(join(folder, 'integers.npy'), writeNpy(Int32Array.of(1, 2), [2]))
    writeFileSync(join(folder, 'bad.npy'), writeNpy(Float32Array.of(1, Number.NaN), [2]))
    writeFileSync(join(folder, 'empty.npy'), writeNpy(new Float32Array(0), [0]))
    for (const [file, message] of [
      ['integers.npy', /holds integers/],
      ['bad.npy', /the tensor: element 1 is NaN/],
      ['empty.npy', /is empty/],
      ['missing.npy', /missing\.npy/],
    ] as const) {
      const { code, stderr } = await dyadic(folder, ['formats', 'compare', file])
      expect(code).toBe(1)
      expect(stderr).toMatch(message)
    }
  })
})
