/** Bundles the page into a folder: static files that any web server can give out. */
import { fileURLToPath } from 'node:url'
import { bundlePage } from '../static-page.mjs'

/** @param {string} out */
export function buildPage(out) {
  return bundlePage(fileURLToPath(new URL('.', import.meta.url)), out, ['page.mjs', 'compile.mjs'])
}
