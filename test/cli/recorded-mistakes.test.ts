/**
 * Mistakes that a command line of this field has made in public, one test each: the rule stands in the test's name. The
 * numbers are those of issues and pull requests of microsoft/winml-cli.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { CALIBRATE, dyadic, MODEL, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-mistakes-'))
afterAll(() => rmSync(folder, { recursive: true }))

const few = ['--calibrate', CALIBRATE, '--samples', '4']

it('555: a value outside a closed set is wrong usage, names the set, and nothing runs', async () => {
  const cases: [words: string[], one: string][] = [
    [['compile', MODEL, ...few, '--weights', 'banana'], 's8'],
    [['compile', MODEL, ...few, '--emit', 'plan,banana'], 'integer-graph'],
    [['quantize', MODEL, ...few, '--range', 'banana'], 'entropy'],
    [['quantize', MODEL, ...few, '--method', 'banana'], 'gptq'],
    [['export', MODEL, ...few, '--format', 'banana'], 'qonnx'],
    [['study', MODEL, '--data', TEST, '--metric', 'banana'], 'nll'],
    [['search', MODEL, ...few, '--sensitivity', 'banana'], 'divergence'],
    [['bench', MODEL, '--against', 'banana'], 'onnxruntime-web'],
  ]
  const outcomes = await Promise.all(cases.map(([words]) => dyadic(folder, words)))
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    expect([code, stdout], cases[index][0].join(' ')).toEqual([2, ''])
    expect(stderr).toContain('banana')
    expect(stderr).toContain(cases[index][1])
  }
  expect(readdirSync(folder)).toEqual([])
})

it('556: what was resolved is said before the work, and kept in what is written', async () => {
  const words = [...few, '--weights', 's4', '--keep', '@last:w8', '-o', 'said.wasm', '--emit', 'plan']
  const { stderr } = await dyadic(folder, ['compile', MODEL, ...words])
  const [numbers, ...work] = stderr.split('\n')
  expect(numbers).toMatch(/weights s4, activations auto, ranges mse, "@last" w8, methods gptq, bias-correction, cal/)
  expect(numbers).toMatch(/4 of 256 samples of "glyphs-calibrate"$/)
  expect(work).toContain('calibrate')
  const plan = JSON.parse(readFileSync(join(folder, 'said.plan.json'), 'utf8'))
  expect(plan.origin).toMatchObject({ range: 'mse', samples: 4, data: 'glyphs-calibrate', methods: expect.anything() })
})

it('531: an option has one default, whatever the command', async () => {
  const commands = ['inspect', 'quantize', 'compile', 'export', 'eval', 'compare', 'cost', 'bench', 'search', 'study']
  const outcomes = await Promise.all(
    commands.map((command) => dyadic(folder, [command, MODEL, '--print-config', '--json'])),
  )
  const seen = new Map<string, string>()
  for (const { stdout } of outcomes)
    for (const { option, value, source } of JSON.parse(stdout).options) {
      if (source !== 'default') continue
      const text = JSON.stringify(value)
      expect([option, seen.get(option) ?? text]).toEqual([option, text])
      seen.set(option, text)
    }
  expect(seen.size).toBeGreaterThan(8)
})

it('260: two ways to the same numbers calibrate alike, and nothing is calibrated on made-up samples', async () => {
  const [none, ...same] = await Promise.all([
    dyadic(folder, ['compile', MODEL, '-o', 'none.wasm']),
    dyadic(folder, ['quantize', MODEL, ...few, '-o', 'quantized.plan.json', '-q']),
    dyadic(folder, ['compile', MODEL, ...few, '-o', 'compiled.wasm', '--emit', 'plan', '-q']),
  ])
  expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/is a float network: give --calibrate <data>/)])
  expect(same.map(({ code }) => code)).toEqual([0, 0])
  const plan = readFileSync(join(folder, 'quantized.plan.json'), 'utf8')
  expect(readFileSync(join(folder, 'compiled.plan.json'), 'utf8')).toBe(plan)
})

it('847: with --json stdout is one object, also when it fails, and people are spoken to on stderr', async () => {
  const outcomes = await Promise.all([
    dyadic(folder, ['compile', MODEL, ...few, '-o', 'json.wasm', '--json']),
    dyadic(folder, ['inspect', 'missing.onnx', '--json']),
    dyadic(folder, ['inspect', MODEL, '--banana', '--json']),
  ])
  expect(outcomes.map(({ code }) => code)).toEqual([0, 1, 2])
  for (const { stdout, stderr } of outcomes) {
    expect(stdout).toMatch(/^\{.*\}\n$/)
    expect(JSON.parse(stdout).schema).toBe(1)
    expect(stderr).not.toBe('')
  }
})

it('608: what a configuration says is not overwritten by defaults, and folders for results are made', async () => {
  writeFileSync(
    join(folder, 'few.json'),
    JSON.stringify({ compile: { calibrate: CALIBRATE, samples: 3, range: 'minmax' } }),
  )
  const words = ['compile', MODEL, '--config', 'few.json', '-o', 'new/deep/net.wasm']
  const { code, stderr } = await dyadic(folder, words)
  expect([code, stderr]).toEqual([0, expect.stringMatching(/ranges minmax,.* calibrated on 3 of 256 samples/)])
  expect(existsSync(join(folder, 'new/deep/net.wasm'))).toBe(true)
})

it('pull 680: samples are read as far as they are used, and nothing is ever fetched', async () => {
  // Whatever opens a connection or looks up a name ends the process.
  const guard = `
    import dgram from 'node:dgram'
    import dns from 'node:dns'
    import net from 'node:net'
    const refuse = () => process.exit(99)
    globalThis.fetch = refuse
    net.Socket.prototype.connect = refuse
    dns.lookup = refuse
    dns.promises.lookup = refuse
    dgram.createSocket = refuse`
  const file = join(folder, 'offline.mjs')
  writeFileSync(file, guard)
  const samples = { kind: 'glyphs', seed: 1, first: 0, count: 400_000 }
  writeFileSync(join(folder, 'many.json'), JSON.stringify({ schema: 1, samples }))
  const offline = { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` }
  const words = ['compile', MODEL, '--calibrate', 'many.json', '--samples', '2', '-o', 'offline.wasm']
  const [compiled, verified] = [
    await dyadic(folder, words, offline),
    await dyadic(folder, ['verify', 'offline.wasm'], offline),
  ]
  expect([compiled.code, verified.code]).toEqual([0, 0])
  expect(compiled.stderr).toContain('on 2 of 400000 samples')
  const reached = await dyadic(folder, ['--version'], {
    NODE_OPTIONS: `${offline.NODE_OPTIONS} --import=data:text/javascript,fetch('http://127.0.0.1:9')`,
  })
  expect(reached.code).toBe(99)
})
