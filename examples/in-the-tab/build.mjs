/** Bundles the page into a folder: static files that any web server can give out. `dyadic` is the built package. */
import { cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** @param {string} out */
export async function buildPage(out) {
  await mkdir(out, { recursive: true })
  const { exports } = JSON.parse(await readFile(here('../../package.json'), 'utf8'))
  const alias = Object.fromEntries(
    ['.', './data', './runtime'].map((key) => [join('dyadic', key), here(join('../..', exports[key].default))]),
  )
  await build({
    entryPoints: [here('page.mjs'), here('compile.mjs')],
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    // Whatever needs Node would fail here: the compiler runs in a browser as it is.
    platform: 'browser',
    target: 'es2022',
    alias,
    logLevel: 'error',
  })
  for (const file of ['index.html', 'style.css']) await cp(here(file), join(out, file))
}
