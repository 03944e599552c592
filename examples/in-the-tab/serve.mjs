/** `npm run tab`: builds the page into `out` and gives it out on this machine only. */
import { fileURLToPath } from 'node:url'
import { portOf, serveFolder } from '../static-page.mjs'
import { buildPage } from './build.mjs'

const out = fileURLToPath(new URL('out/', import.meta.url))

await buildPage(out)
const { address } = await serveFolder(out, portOf(process.env.PORT ?? '8080', 'PORT'))
process.stdout.write(`${address}\n`)
