/** docs/api says what the built package exports, and everything that it exports says what it is. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiReference } from '../scripts/api-reference.mjs'

it('docs/api is up to date: else run npm run build, then node scripts/api-reference.mjs', () => {
  const folder = new URL('../docs/api/', import.meta.url)
  const pages = apiReference()
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort())
  for (const [name, text] of pages) expect(readFileSync(new URL(name, folder), 'utf8'), name).toBe(text)
})

it('has a page for every entry point of the package', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    exports: Record<string, unknown>
  }
  const index = apiReference().get('README.md')
  for (const path of Object.keys(exports).filter((key) => key !== './package.json'))
    expect(index).toContain(`[\`${path.replace('.', 'dyadic')}\`]`)
})
