/**
 * Runs compiled networks in a headless Chromium: a server on 127.0.0.1 gives the page the runtime and the job, the page
 * posts its answer back. The browser gets a profile folder of its own and is ended, with its children, in every case.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import {
  decodeReport,
  defaultTimeoutMilliseconds,
  encodeJob,
  type HostCase,
  type HostOptions,
  type HostReport,
  hostsFolder,
  runtimeFolder,
} from './host-case.ts'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
}

/** The Chromium binary: environment variable CHROMIUM, else the system's. Throws when there is none. */
export function chromiumBinary(): string {
  const binary = process.env.CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(binary)) throw new Error(`no Chromium at ${binary}; install one or name it in CHROMIUM`)
  return binary
}

/** Serves the page, the runtime and the job; calls `onAnswer` with what the page posts. */
function createHostServer(runtime: string, job: string, onAnswer: (text: string) => void): Server {
  const fileFor = (path: string): string | undefined => {
    if (path === '/') return join(hostsFolder, 'page.html')
    if (path.startsWith('/hosts/')) return join(hostsFolder, basename(path))
    if (path.startsWith('/runtime/')) return join(runtime, basename(path))
    return undefined
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
    if (request.method === 'POST' && path === '/answer') {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      response.writeHead(204).end()
      onAnswer(Buffer.concat(parts).toString())
      return
    }
    const file = fileFor(path)
    const content = path === '/job.json' ? job : file === undefined ? undefined : await readFile(file)
    if (content === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': contentTypes[extname(file ?? path)] ?? 'text/plain' }).end(content)
  }
  return createServer((request, response) => {
    respond(request, response).catch(() => response.headersSent || response.writeHead(404).end())
  })
}

function startBrowser(binary: string, profile: string, url: string): ChildProcess {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
  ]
  // A process group of its own, so that the browser's children end with it.
  // Its temporary files go into the profile, which is removed with everything in it.
  const env = { ...process.env, TMPDIR: profile }
  return spawn(binary, [...flags, url], { detached: true, env, stdio: ['ignore', 'ignore', 'pipe'] })
}

function killGroup(browser: ChildProcess): void {
  if (browser.pid === undefined) return
  try {
    process.kill(-browser.pid, 'SIGKILL')
  } catch {
    // The group has already ended.
  }
}

/** Ends the browser's whole group and waits until its first process is gone. */
async function endBrowser(browser: ChildProcess): Promise<void> {
  if (browser.pid === undefined) return
  const gone =
    browser.exitCode !== null || browser.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => browser.once('exit', () => resolve()))
  killGroup(browser)
  await gone
}

/** Executes the cases in a fresh headless browser. Throws on a missing browser, an error in the page and a time-out. */
export async function runInChromium(cases: readonly HostCase[], options: HostOptions = {}): Promise<HostReport> {
  const binary = chromiumBinary()
  const runtime = runtimeFolder(options)
  const profile = await mkdtemp(join(tmpdir(), 'dyadic-chromium-'))
  let server: Server | undefined
  let browser: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  const onExit = () => browser !== undefined && killGroup(browser)
  process.once('exit', onExit)
  try {
    const text = await new Promise<string>((resolve, reject) => {
      const milliseconds = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds
      let complaints = ''
      const fail = (what: string) => reject(new Error(`${binary} ${what}\n${complaints.slice(-2000)}`))
      timer = setTimeout(() => fail(`did not answer within ${milliseconds} ms`), milliseconds)
      server = createHostServer(runtime, encodeJob(cases), resolve)
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const { port } = (server as Server).address() as AddressInfo
        browser = startBrowser(binary, profile, `http://127.0.0.1:${port}/`)
        browser.stderr?.on('data', (part: Buffer) => {
          complaints = (complaints + part.toString()).slice(-8000)
        })
        browser.once('error', (error) => fail(`does not start: ${error.message}`))
        browser.once('exit', (code, signal) => fail(`ended before it answered (${code ?? signal})`))
      })
    })
    return decodeReport(text, cases, binary)
  } finally {
    clearTimeout(timer)
    process.removeListener('exit', onExit)
    if (browser !== undefined) await endBrowser(browser)
    server?.closeAllConnections()
    server?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
