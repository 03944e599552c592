/**
 * The report of `dyadic compare` as a browser shows it: every name from a hostile model is text, nothing is loaded, nothing
 * runs, and nothing is wider than the page.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare } from '../../src/compare/compare.ts'
import type { Comparison } from '../../src/compare/comparison.ts'
import { openGlyphs } from '../../src/data/glyphs.ts'
import { calibrate } from '../../src/quantize/calibrate.ts'
import { net } from '../../src/reference/fast/net.fixture.ts'
import { renderReport } from '../../src/report/comparison-report.ts'
import { chromiumBinary } from './chromium-host.ts'

const binary = process.env.CHROMIUM ?? '/usr/bin/chromium'
const present = existsSync(binary)
if (!present && process.env.CI !== 'true')
  console.warn(`no Chromium at ${binary}: what a browser makes of a report is not tested`)

const HOSTILE = `<script>document.title='run'</script><img src="http://127.0.0.1:9/x" onerror="document.title='run'">\u202e"'`

let folder = ''
let comparison: Comparison
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dyadic-report-'))
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1, low: 0 }
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
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))

describe.skipIf(!present && process.env.CI !== 'true')('a report in Chromium', () => {
  it('is text and pictures, whatever the names', async () => {
    const html = renderReport(comparison, { model: HOSTILE, version: HOSTILE })
    // The page measures itself; only this copy may, and only by a script that the test adds.
    const probe = `<script>addEventListener('load', () => {
      const all = (selector) => [...document.querySelectorAll(selector)]
      document.body.dataset.facts = JSON.stringify({
        title: document.title, heading: document.querySelector('h1').textContent,
        rows: all('.scroll tbody tr').length, cards: all('article').length, plots: all('svg').length,
        foreign: all('img, iframe, link').length, scripts: all('script').length,
        visible: all('svg').every((svg) => svg.getBoundingClientRect().height > 50),
        requests: performance.getEntriesByType('resource').length,
        wide: document.documentElement.scrollWidth > innerWidth,
      })
    })</script>`
    const page = join(folder, 'report.html')
    await writeFile(
      page,
      html
        .replace("style-src 'unsafe-inline'", "style-src 'unsafe-inline'; script-src 'unsafe-inline'")
        .replace('</main>', `</main>${probe}`),
    )
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--window-size=1200,900',
      `--user-data-dir=${folder}/profile`,
    ]
    const dom = execFileSync(chromiumBinary(), [...flags, '--dump-dom', `file://${page}`], {
      ...{ encoding: 'utf8', timeout: 60_000, maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'] },
      env: { ...process.env, TMPDIR: folder },
    })
    const [, facts] = /data-facts="([^"]*)"/.exec(dom) ?? []
    const shown = HOSTILE.replace('\u202e', '\\u{202e}')
    expect(
      JSON.parse(
        (facts ?? '{}')
          .replaceAll('&quot;', '"')
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&amp;', '&'),
      ),
    ).toEqual({
      ...{ title: `${shown}: float against integers`, heading: shown, rows: 4, cards: 4, foreign: 0, scripts: 1 },
      // One over all values, one for each, one for each layer's weights.
      ...{ plots: 1 + 4 + 2, visible: true, requests: 0, wide: false },
    })
  })
})
