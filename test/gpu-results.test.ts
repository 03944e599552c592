import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('docs/gpu-results.md is up to date: else run node bench/gpu/page.mjs', () => {
  const page = fileURLToPath(new URL('../bench/gpu/page.mjs', import.meta.url))
  expect(execFileSync(process.execPath, [page, '--check'], { encoding: 'utf8' })).toBe('')
})
