/**
 * Pages of the examples: bundled into a folder of static files, and given out on this machine only. `dyadic` is the built
 * package.
 */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/**
 * `scripts` of a folder as bundles beside its `index.html`, and its `style.css` behind what all pages share.
 * @param {string} folder @param {string} out @param {readonly string[]} scripts
 */
export async function bundlePage(folder, out, scripts) {
  await mkdir(out, { recursive: true })
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  await build({
    entryPoints: scripts.map((script) => join(folder, script)),
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    // Whatever needs Node would fail here.
    platform: 'browser',
    target: 'es2022',
    alias: Object.fromEntries(
      ['.', './data', './runtime'].map((key) => [join('dyadic', key), join(root, exports[key].default)]),
    ),
    logLevel: 'error',
  })
  await cp(join(folder, 'index.html'), join(out, 'index.html'))
  const styles = [join(root, 'examples/static-page.css'), join(folder, 'style.css')]
  await writeFile(join(out, 'style.css'), (await Promise.all(styles.map((path) => readFile(path, 'utf8')))).join(''))
}

/**
 * The port that a text names; throws a `RangeError` for what is none. 0 asks for any that is free.
 * @param {string} text @param {string} [from] Where the text was given.
 */
export function portOf(text, from = '--port') {
  const port = Number(text)
  if (text === '' || !Number.isInteger(port) || port < 0 || port > 65535)
    throw new RangeError(`${from} is "${text}"; give a whole number from 0 to 65535`)
  return port
}

/**
 * Gives out the files that are in a folder now. The promise is broken where the port is taken.
 * @param {string} folder @param {number} port
 * @returns {Promise<{ address: string, close: () => void }>}
 */
export async function serveFolder(folder, port) {
  const files = new Set(await readdir(folder))
  const server = createServer(async ({ url }, response) => {
    const name = url === '/' ? 'index.html' : (url ?? '').slice(1)
    if (!files.has(name)) {
      response.writeHead(404).end()
      return
    }
    const type = TYPES[extname(name)] ?? 'application/octet-stream'
    response.writeHead(200, { 'content-type': type }).end(await readFile(join(folder, name)))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}
