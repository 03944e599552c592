/**
 * Hosts that are places in a browser: page, worker, audio worklet, a page under a strict policy, and an extension. A server
 * on 127.0.0.1 gives pages the runtime and the job; they post their answers back. Each browser gets a profile of its own and
 * is ended, with its children, in every case.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const MOST_SECONDS = 180

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' }
/** Scripts of this origin and WebAssembly; no text is evaluated. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

const PLACES = [
  ['page', 'page'],
  ['worker', 'dedicated worker'],
  ['worklet', 'AudioWorklet'],
  ['strict', "page, CSP 'wasm-unsafe-eval'"],
]
const EXTENSION = ['extension worker', 'extension page']

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr'

const chromiumWords = (profile) => [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--user-data-dir=${profile}`,
]

/** Settings that keep a fresh Firefox from asking its makers for anything. */
const FIREFOX_SETTINGS = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.blocklist.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9',
  'toolkit.telemetry.enabled': false,
}

async function firefoxWords(profile, url) {
  const lines = Object.entries(FIREFOX_SETTINGS).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  )
  await writeFile(join(profile, 'user.js'), `${lines.join('\n')}\n`)
  return ['--headless', '--no-remote', '--profile', profile, url]
}

/** Serves the pages, the runtime and the job; calls `onAnswer` with everything that is posted. */
function serve(job, onAnswer) {
  const respond = async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
    // An extension has another origin.
    response.setHeader('access-control-allow-origin', '*')
    if (request.method === 'POST' && path === '/answer') {
      const parts = []
      for await (const part of request) parts.push(part)
      response.writeHead(204).end()
      onAnswer(JSON.parse(Buffer.concat(parts).toString()))
      return
    }
    if (path === '/job.json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(job)
      return
    }
    const inside = normalize(path)
    const file = inside.startsWith('/runtime/')
      ? join(here('../../dist'), inside)
      : here(inside === '/' ? 'browser/page.html' : `.${inside}`)
    const headers = { 'content-type': TYPES[extname(file)] ?? 'text/plain' }
    if (inside === '/browser/strict.html') headers['content-security-policy'] = STRICT
    response.writeHead(200, headers).end(await readFile(file))
  }
  return createServer((request, response) => {
    respond(request, response).catch(() => response.headersSent || response.writeHead(404).end())
  })
}

function endGroup(browser) {
  try {
    process.kill(-browser.pid, 'SIGKILL')
  } catch {
    // The group has already ended.
  }
}

/**
 * Starts a browser and collects answers until all places have answered.
 * @returns {Promise<{ engine: string, answers: Record<string, { hashes?: string[][], error?: string }> }>}
 */
async function browse(binary, wordsFor, job, places) {
  const profile = await mkdtemp(join(tmpdir(), 'dyadic-browser-'))
  let browser
  let server
  let timer
  const onExit = () => browser?.pid !== undefined && endGroup(browser)
  process.once('exit', onExit)
  const answers = {}
  let engine = ''
  let complaints = ''
  try {
    await new Promise((resolve, reject) => {
      const fail = (what) => reject(new Error(`${binary} ${what}\n${complaints.slice(-2000)}`))
      timer = setTimeout(() => fail(`did not answer within ${MOST_SECONDS} s`), MOST_SECONDS * 1000)
      server = serve(job, (answer) => {
        engine = answer.engine
        Object.assign(answers, answer.answers)
        if (places.every((place) => place in answers)) resolve()
      })
      server.once('error', reject)
      server.listen(0, '127.0.0.1', async () => {
        try {
          const words = await wordsFor(profile, `http://127.0.0.1:${server.address().port}`)
          // A process group of its own, so that the browser's children end with it; temporary files go into the profile.
          const env = { ...process.env, HOME: profile, TMPDIR: profile }
          browser = spawn(binary, words, { detached: true, env, stdio: ['ignore', 'ignore', 'pipe'] })
          browser.stderr.on('data', (part) => {
            complaints = (complaints + part).slice(-8000)
          })
          browser.once('error', (error) => fail(`does not start: ${error.message}`))
          browser.once('exit', (code, signal) => fail(`ended before it answered (${code ?? signal})`))
        } catch (error) {
          reject(error)
        }
      })
    })
    return { engine: engineName(engine), answers }
  } finally {
    clearTimeout(timer)
    process.removeListener('exit', onExit)
    if (browser?.pid !== undefined) {
      browser.removeAllListeners('exit')
      const gone =
        browser.exitCode === null && browser.signalCode === null
          ? new Promise((done) => browser.once('exit', done))
          : null
      endGroup(browser)
      await gone
    }
    server?.closeAllConnections()
    server?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

const engineName = (agent) => {
  const [, name, version] = /(Chrome|Firefox)\/(\d+)/.exec(agent) ?? []
  if (name === undefined) return agent
  return name === 'Chrome' ? `Chromium ${version} (V8)` : `Firefox ${version} (SpiderMonkey)`
}

/** An extension's folder: its files, the runtime, and the job with the server's address. */
async function makeExtension(folder, server, job) {
  await mkdir(folder)
  cpSync(here('extension'), folder, { recursive: true })
  cpSync(here('../../dist/runtime'), join(folder, 'runtime'), { recursive: true })
  cpSync(here('execute.mjs'), join(folder, 'execute.mjs'))
  await writeFile(join(folder, 'job.json'), `{"server":${JSON.stringify(server)},"job":${job}}`)
}

const rowsOf = (browser, places, { engine, answers }) =>
  places.map(([key, place]) => ({ host: `${browser}, ${place}`, engine, ...answers[key] }))

const inPlaces = (browser, binary, wordsFor, remedy) => ({
  rows: PLACES.map(([, place]) => `${browser}, ${place}`),
  remedy,
  available: () => existsSync(binary),
  run: async (_file, job) =>
    rowsOf(
      browser,
      PLACES,
      await browse(
        binary,
        wordsFor,
        job,
        PLACES.map(([key]) => key),
      ),
    ),
})

/** Every browser as a function from the job to rows of the table. */
export const browserHosts = [
  inPlaces('Chromium', CHROMIUM, async (profile, url) => [...chromiumWords(profile), url], 'apt-get install chromium'),
  {
    rows: EXTENSION.map((place) => `Chromium, ${place}`),
    remedy: 'apt-get install chromium',
    available: () => existsSync(CHROMIUM),
    async run(_file, job) {
      const wordsFor = async (profile, url) => {
        const folder = join(profile, 'extension')
        await makeExtension(folder, url, job)
        return [
          ...chromiumWords(profile),
          `--load-extension=${folder}`,
          `--disable-extensions-except=${folder}`,
          '--disable-features=DisableLoadExtensionCommandLineSwitch',
          'about:blank',
        ]
      }
      const places = EXTENSION.map((place) => [place, place])
      return rowsOf('Chromium', places, await browse(CHROMIUM, wordsFor, job, EXTENSION))
    },
  },
  inPlaces('Firefox', FIREFOX, firefoxWords, 'apt-get install firefox-esr'),
]
