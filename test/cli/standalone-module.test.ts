/** `compile --emit module`: one ES module that needs nothing beside it and gives what the `.wasm` gives. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openGlyphs } from '../../src/data/index.ts'
import { loadSync } from '../../src/runtime/index.ts'
import { CALIBRATE, dyadic, MODEL } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-module-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('compile --emit module', () => {
  it('writes a module that gives what the program gives, with its types', async () => {
    const words = ['compile', MODEL, '--calibrate', CALIBRATE, '--samples', '16', '-o', 'net.wasm', '--emit', 'module']
    const { code, stdout } = await dyadic(folder, [...words, '--json', '-q'])
    expect([code, JSON.parse(stdout).files]).toEqual([0, ['net.wasm', 'net.d.ts', 'net.mjs', 'net.d.mts']])

    const image = (await openGlyphs({ seed: 3, first: 0, count: 1 }).read(0)) as Uint8Array
    const expected = loadSync(readFileSync(join(folder, 'net.wasm'))).run({ image }).logits
    const script = `
      import waiting, { load, loadSync } from './net.mjs'
      const image = Uint8Array.from(${JSON.stringify(Array.from(image))})
      const found = [await load(), loadSync(), await waiting()].map((network) => Array.from(network.run({ image }).logits))
      process.stdout.write(JSON.stringify(found))`
    writeFileSync(join(folder, 'use.mjs'), script)
    const found = JSON.parse(execFileSync(process.execPath, ['use.mjs'], { cwd: folder, encoding: 'utf8' }))
    expect(found).toEqual([expected, expected, expected].map((values) => Array.from(values)))

    const use = `
      import load, { type Outputs } from './net.mjs'
      const { logits }: Outputs = (await load()).run({ image: new Uint8Array(784) })
      // @ts-expect-error There is no such input.
      void (await load()).run({ picture: new Uint8Array(784) })
      export const best: number = logits.indexOf(Math.max(...logits))`
    writeFileSync(join(folder, 'use.mts'), use)
    const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', '', 'use.mts']
    expect(() => execFileSync(process.execPath, [tsc, ...options], { cwd: folder, encoding: 'utf8' })).not.toThrow()
  })

  it('imports and exports nothing else', () => {
    const text = readFileSync(join(folder, 'net.mjs'), 'utf8')
    expect(text.match(/^(import|export)\b.*$/gm)).toEqual([
      'export const load = () => runtime.load(bytes())',
      'export const loadSync = () => runtime.loadSync(bytes())',
      'export default load',
    ])
  })
})
