/**
 * A report as a headless Chromium shows it: the page measures itself by a script that only this copy may run, and what it
 * asks the network for and complains about is noted.
 */
import { browse, chromiumWords } from '../../bench/hosts/browse.mjs'
import { chromiumBinary } from './chromium-host.ts'

export interface ReportFacts {
  readonly title: string
  readonly heading: string
  /** How many elements each selector finds. */
  readonly counts: Readonly<Record<string, number>>
  /** `data-figure` to value, and the `data-bounds` of all rows. */
  readonly figures: Readonly<Record<string, string>>
  readonly bounds: readonly string[]
  /** Every plot outside closed details is drawn larger than a line, and every picture has been decoded. */
  readonly drawn: boolean
  readonly decoded: boolean
  /** The page is wider than its window. */
  readonly wide: boolean
  /** The colour behind the text. */
  readonly paper: string
}

export interface SeenReport {
  readonly facts: ReportFacts
  /** Paths that the browser asked the server for, the page and the answer excepted. */
  readonly requests: readonly string[]
  /** What the page wrote to the console: errors and refusals of the content security policy. */
  readonly messages: readonly string[]
}

/** Runs in the page. */
const PROBE = `addEventListener('load', () => {
  const all = (selector) => [...document.querySelectorAll(selector)]
  const facts = {
    title: document.title,
    heading: document.querySelector('h1').textContent,
    counts: Object.fromEntries(SELECTORS.map((selector) => [selector, all(selector).length])),
    figures: Object.fromEntries(all('[data-figure]').map((element) => [element.dataset.figure, element.value])),
    bounds: all('[data-bounds]').map((element) => element.dataset.bounds),
    drawn: all('svg').every((svg) => svg.closest('details:not([open])') || svg.getBoundingClientRect().height > 50),
    decoded: all('img').every((image) => image.naturalWidth > 0),
    wide: document.documentElement.scrollWidth > innerWidth,
    paper: getComputedStyle(document.body).backgroundColor,
  }
  const body = JSON.stringify({ engine: navigator.userAgent, answers: { report: facts } })
  setTimeout(() => fetch('/answer', { method: 'POST', body }), 100)
})`

export interface Window {
  readonly width: number
  readonly dark?: boolean
}

/** Opens a report in a window of that width. Throws when there is no Chromium, and when the page does not load. */
export async function seeReport(
  html: string,
  selectors: readonly string[],
  { width, dark = false }: Window,
): Promise<SeenReport> {
  const probe = `<script>${PROBE.replace('SELECTORS', () => JSON.stringify(selectors))}</script>`
  const page = html
    .replace("style-src 'unsafe-inline'", "style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'")
    .replace('</main>', () => `</main>${probe}`)
  const requests: string[] = []
  const { answers, complaints } = await browse<ReportFacts>(
    chromiumBinary(),
    async (profile, url) => [
      ...chromiumWords(profile),
      ...[
        '--enable-logging=stderr',
        `--window-size=${width},900`,
        `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`,
      ],
      url,
    ],
    (path) => {
      if (path !== '/') requests.push(path)
      return { content: page }
    },
    ['report'],
  )
  const messages = complaints.split('\n').filter((line) => line.includes(':CONSOLE'))
  return { facts: answers.report, requests, messages }
}
