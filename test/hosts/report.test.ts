/**
 * Reports as a browser shows them: every name from a hostile model is text, nothing is loaded, nothing runs, nothing is wider
 * than the page, and the figures are those of the program.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from '../../bench/hosts/browse.mjs'
import { type CompileReportInputs, compileReport } from '../../src/cli/compile-report.ts'
import { compare } from '../../src/compare/compare.ts'
import type { Comparison } from '../../src/compare/comparison.ts'
import { openGlyphs } from '../../src/data/glyphs.ts'
import { compile, parseOnnx, prepare, quantize } from '../../src/index.ts'
import { calibrate } from '../../src/quantize/calibrate.ts'
import { net } from '../../src/reference/fast/net.fixture.ts'
import { renderReport } from '../../src/report/comparison-report.ts'
import { seeReport } from './report-page.ts'

const missing = !existsSync(CHROMIUM) && process.env.CI !== 'true'
if (missing) console.warn(`no Chromium at ${CHROMIUM}: what a browser makes of a report is not tested`)

const HOSTILE = `<script>document.title='run'</script><img src="http://127.0.0.1:9/x" onerror="document.title='run'">\u202e"'`
const SHOWN = HOSTILE.replace('\u202e', '\\u{202e}')

describe.skipIf(missing)('the report of a comparison in Chromium', () => {
  let comparison: Comparison
  beforeAll(async () => {
    const attributes = {
      kernel_shape: [3, 3],
      strides: [2, 2],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      group: 1,
      low: 0,
    }
    const graph = net({ x: [1, 1, 28, 28] }, [
      { operator: 'dyadic.Conv', inputs: ['x', { shape: [8, 1, 3, 3] }, { shape: [8] }], attributes },
      { operator: 'GlobalAveragePool', inputs: ['v0'] },
      { operator: 'Flatten', inputs: ['v1'] },
      { operator: 'dyadic.Dense', inputs: ['v2', { shape: [10, 8] }] },
    ])
    const samples = openGlyphs({ seed: 1, first: 0, count: 8 })
    const found = await compare(graph, await calibrate(graph, samples), samples)
    comparison = {
      ...found,
      network: HOSTILE,
      data: HOSTILE,
      values: found.values.map((value, rank) => ({ ...value, name: `${rank} ${HOSTILE}` })),
    }
  }, 60_000)

  it('is text and pictures, whatever the names', async () => {
    const html = renderReport(comparison, { model: HOSTILE, version: HOSTILE })
    const selectors = ['.scroll tbody tr', 'article', 'svg', 'img, iframe, link', 'script']
    const { facts, requests, messages } = await seeReport(html, selectors, { width: 1200 })
    expect([requests, messages]).toEqual([[], []])
    expect(facts).toMatchObject({ title: `${SHOWN}: float against integers`, heading: SHOWN, drawn: true, wide: false })
    // One plot over all values, one for each, one for each layer's weights; the script is the probe's.
    expect(facts.counts).toEqual({
      ...{ '.scroll tbody tr': 4, article: 4, svg: 1 + 4 + 2, 'img, iframe, link': 0, script: 1 },
    })
  })
})

describe.skipIf(missing)('the report of a program in Chromium', () => {
  let inputs: CompileReportInputs
  let html = ''
  beforeAll(async () => {
    const path = fileURLToPath(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url))
    const onnx = await readFile(path)
    const graph = parseOnnx(onnx)
    const plan = await quantize(graph, openGlyphs({ seed: 1, first: 100_000, count: 16 }))
    inputs = {
      ...{ model: 'glyphs.onnx', onnx, graph, compiled: prepare(graph).compiled, plan },
      ...{ program: compile(graph, plan), options: [['--range', HOSTILE]], limit: 12 },
      samples: { ...openGlyphs({ seed: 1, first: 200_000, count: 20 }), name: HOSTILE, describe: () => HOSTILE },
      classNames: Array(16).fill(HOSTILE),
    }
    html = await compileReport(inputs)
  }, 60_000)

  it.each([
    ['light on a screen', { width: 1200 }, 'rgb(251, 250, 247)'],
    // No window of Chromium is narrower than 500 pixels.
    ['dark on a narrow one', { width: 500, dark: true }, 'rgb(22, 23, 26)'],
  ] as const)('reads well, %s', async (_name, window, paper) => {
    const selectors = ['article', '.sample img', '.frame > svg', 'img:not([src^="data:"]), iframe, link', 'rect.buffer']
    const { facts, requests, messages } = await seeReport(html, selectors, window)
    expect([requests, messages]).toEqual([[], []])
    expect(facts).toMatchObject({ title: 'glyphs: the program', drawn: true, decoded: true, wide: false, paper })
    expect(facts.counts).toMatchObject({
      ...{ '.sample img': 12, '.frame > svg': 2, 'img:not([src^="data:"]), iframe, link': 0 },
    })
    expect(facts.counts['rect.buffer']).toBeGreaterThan(inputs.program.integerGraph.instructions.length)
  })

  it('has the figures of the manifest and of the file', async () => {
    const { facts } = await seeReport(html, [], { width: 1200 })
    const { wasm, manifest } = inputs.program
    const { bytes, constantBytes, arenaBytes } = manifest.memory
    const figures = Object.fromEntries(Object.entries(facts.figures).map(([name, value]) => [name, Number(value)]))
    expect(figures).toMatchObject({
      ...{ wasmBytes: wasm.length, wasmBytesInAll: wasm.length, onnxBytes: inputs.onnx.length },
      ...{ memoryBytes: bytes, memoryBytesInAll: bytes, constantBytes, arenaBytes },
      headroomBits: manifest.certificate.headroomBits,
      largestAccumulator: manifest.certificate.largestAccumulator,
    })
    expect(figures.weightBytes + figures.codeBytes + figures.manifestBytes).toBe(wasm.length)
    expect(figures.gzipBytes).toBeLessThan(wasm.length)
    expect(facts.bounds).toEqual(
      manifest.certificate.rows.map(({ accumulator, biased, requantised, stored }) =>
        [...accumulator, ...biased, ...requantised, ...stored].join(' '),
      ),
    )
    for (const hash of [manifest.plan, manifest.certificate.integerGraph, manifest.selfTest.sha256])
      expect(html).toContain(hash)
  })
})

it('the report of a program is the same bytes every time, and says why it has no losses', async () => {
  const graph = net({ x: [1, 1, 8, 8] }, [
    { operator: 'Flatten', inputs: ['x'] },
    { operator: 'dyadic.Dense', inputs: ['v0', { shape: [4, 64] }] },
  ])
  const samples = { ...openGlyphs({ seed: 1, first: 0, count: 4 }), shape: [1, 8, 8] }
  const small = { ...samples, read: async (index: number) => (await samples.read(index)).slice(0, 64) }
  const plan = await calibrate(graph, small)
  const { compileProgram } = await import('../../src/program/compile.ts')
  const inputs: CompileReportInputs = {
    ...{ model: HOSTILE, onnx: new Uint8Array(3), graph, compiled: graph, plan, options: [], limit: 4 },
    ...{ program: compileProgram(graph, plan, { version: '1.0.0' }), samples: `no samples of ${HOSTILE}` },
  }
  const html = await compileReport(inputs)
  expect(await compileReport(inputs)).toBe(html)
  expect(html).not.toMatch(/<script|<img|NaN|undefined|Infinity/)
  expect(html).toContain('Not measured: no samples of &lt;script&gt;')
})
