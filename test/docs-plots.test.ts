/** docs/plots holds what the scripts draw, and every plot stands in some page. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { docsPlots } from '../scripts/docs-plots.mjs'

const folder = new URL('../docs/', import.meta.url)
const present = readdirSync(new URL('plots/', folder))

it('docs/plots is up to date: else run npm run build, then node scripts/docs-plots.mjs', async () => {
  const plots = await docsPlots()
  expect(present.sort()).toEqual([...plots.keys()].sort())
  for (const [name, svg] of plots) expect(readFileSync(new URL(`plots/${name}`, folder), 'utf8'), name).toBe(svg)
}, 60_000)

it('every plot is shown, with words for those who do not see it', () => {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))
  const shown = pages.flatMap((page) => [
    ...readFileSync(new URL(page, folder), 'utf8').matchAll(/!\[([^\]]{20,})\]\(plots\/([\w-]+\.svg)\)/g),
  ])
  expect(shown.map(([, , name]) => name).sort()).toEqual(present.sort())
})
