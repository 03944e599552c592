/**
 * Starts a browser with a page of a server on 127.0.0.1 and collects what its places post back to /answer. The browser gets a
 * profile of its own and is ended, with its children, in every case.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'

const MOST_MILLISECONDS = 180_000

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** Chromium's binary, and the words that keep a fresh one quiet and offline. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const chromiumWords = (profile) => [
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

/**
 * @typedef {{ content: string | Uint8Array, headers?: Record<string, string> }} Served
 * @typedef {(path: string) => Served | Promise<Served>} Serve Throws for what is not there.
 */

/** Serves what `contentOf` gives by path; calls `onAnswer` with everything that is posted to /answer. */
function createAnswerServer(contentOf, onAnswer) {
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
    const { content, headers } = await contentOf(path)
    const type = TYPES[extname(path) || '.html'] ?? 'text/plain'
    response.writeHead(200, { 'content-type': type, ...headers }).end(content)
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
 * Waits until all places have answered. What the browser wrote to stderr meanwhile comes along.
 * @param {string} binary
 * @param {(profile: string, url: string) => Promise<string[]>} wordsFor Arguments, for a profile folder and the server's address.
 * @param {Serve} contentOf
 * @param {readonly string[]} places Keys of the answers to wait for.
 * @param {{ milliseconds?: number, afterStart?: (profile: string) => Promise<void> }} [options] After how long it is given
 *   up; what else has to be done once the browser runs.
 * @returns {Promise<{ engine: string, answers: Record<string, { hashes?: string[][], error?: string }>, complaints: string }>}
 */
export async function browse(
  binary,
  wordsFor,
  contentOf,
  places,
  { milliseconds = MOST_MILLISECONDS, afterStart } = {},
) {
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
      timer = setTimeout(() => fail(`did not answer within ${milliseconds} ms`), milliseconds)
      server = createAnswerServer(contentOf, (answer) => {
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
          await afterStart?.(profile)
        } catch (error) {
          reject(error)
        }
      })
    })
    return { engine: engineName(engine), answers, complaints }
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
