/** Runs compiled networks in a headless Chromium, with the launcher of the table of hosts. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import {
  benchFolder,
  checkedReport,
  defaultTimeoutMilliseconds,
  encodeJob,
  type HostCase,
  type HostOptions,
  type HostReport,
  runtimeFolder,
} from './host-case.ts'

const page = fileURLToPath(new URL('page.html', import.meta.url))

/** The Chromium binary: environment variable CHROMIUM, else the system's. Throws when there is none. */
export function chromiumBinary(): string {
  if (!existsSync(CHROMIUM)) throw new Error(`no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)
  return CHROMIUM
}

/** Executes the cases in a fresh headless browser. Throws on a missing browser, an error in the page and a time-out. */
export async function runInChromium(cases: readonly HostCase[], options: HostOptions = {}): Promise<HostReport> {
  const binary = chromiumBinary()
  const runtime = runtimeFolder(options)
  const job = encodeJob(cases)
  const { engine, answers } = await browse<{ hashes?: string[][]; error?: string }>(
    binary,
    async (profile, url) => [...chromiumWords(profile), url],
    async (path) => {
      if (path === '/job.json') return { content: job }
      if (path === '/') return { content: await readFile(page) }
      return { content: await readFile(join(path.startsWith('/runtime/') ? runtime : benchFolder, basename(path))) }
    },
    ['page'],
    { milliseconds: options.timeoutMilliseconds ?? defaultTimeoutMilliseconds },
  )
  return checkedReport({ engine, ...answers.page }, cases, binary)
}
