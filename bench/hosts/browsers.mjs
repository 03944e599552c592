/** Hosts that are places in a browser: page, worker, audio worklet, a page under a strict policy, and extensions. */
import { cpSync, existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browse, CHROMIUM, chromiumWords } from './browse.mjs'
import { installExtension, MARIONETTE_SETTINGS, MARIONETTE_WORDS } from './marionette.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
/** Scripts of this origin and WebAssembly; no text is evaluated. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

const PLACES = [
  ['page', 'page'],
  ['worker', 'dedicated worker'],
  ['worklet', 'AudioWorklet'],
  ['strict', "page, CSP 'wasm-unsafe-eval'"],
]
const EXTENSION = ['extension worker', 'extension page']
/** Where Chromium has a service worker, Firefox has a page without a window. */
const FIREFOX_EXTENSION = ['extension background page', 'extension page']

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr'

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

async function firefoxWords(profile, url, settings = FIREFOX_SETTINGS) {
  const lines = Object.entries(settings).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`)
  await writeFile(join(profile, 'user.js'), `${lines.join('\n')}\n`)
  return ['--headless', '--no-remote', '--profile', profile, url]
}

/** The pages, the runtime and the job, by path. */
const serving = (job) => async (path) => {
  if (path === '/job.json') return { content: job }
  const inside = normalize(path)
  const file = inside.startsWith('/runtime/')
    ? join(here('../../dist'), inside)
    : here(inside === '/' ? 'browser/page.html' : `.${inside}`)
  const content = await readFile(file)
  return inside === '/browser/strict.html' ? { content, headers: { 'content-security-policy': STRICT } } : { content }
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
        serving(job),
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
      return rowsOf('Chromium', places, await browse(CHROMIUM, wordsFor, serving(job), EXTENSION))
    },
  },
  inPlaces('Firefox', FIREFOX, (profile, url) => firefoxWords(profile, url), 'apt-get install firefox-esr'),
  {
    rows: FIREFOX_EXTENSION.map((place) => `Firefox, ${place}`),
    remedy: 'apt-get install firefox-esr',
    available: () => existsSync(FIREFOX),
    async run(_file, job) {
      const folderIn = (profile) => join(profile, 'extension')
      const wordsFor = async (profile, url) => {
        await makeExtension(folderIn(profile), url, job)
        const words = await firefoxWords(profile, 'about:blank', { ...FIREFOX_SETTINGS, ...MARIONETTE_SETTINGS })
        return [...MARIONETTE_WORDS, ...words]
      }
      const afterStart = (profile) => installExtension(profile, folderIn(profile))
      const found = await browse(FIREFOX, wordsFor, serving(job), EXTENSION, { afterStart })
      return rowsOf(
        'Firefox',
        EXTENSION.map((key, index) => [key, FIREFOX_EXTENSION[index]]),
        found,
      )
    },
  },
]
