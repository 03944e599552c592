/** `npm run tab`: builds the page into `out` and gives it out on this machine only. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPage } from './build.mjs'

const out = new URL('out/', import.meta.url)
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
const FILES = new Set(['/index.html', '/page.js', '/compile.js', '/style.css'])

await buildPage(fileURLToPath(out))
const server = createServer(async ({ url }, response) => {
  const path = url === '/' ? '/index.html' : (url ?? '')
  if (!FILES.has(path)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': TYPES[extname(path)] }).end(await readFile(new URL(`.${path}`, out)))
})
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`)
})
