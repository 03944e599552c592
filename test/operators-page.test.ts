/** docs/operators.md says what the registry holds. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { operatorsPage } from '../scripts/operators-page.mjs'
import { operators } from '../src/graph/operators/index.ts'
import { lowerable } from '../src/lower/lower.ts'
import { OPSET_RANGE } from '../src/onnx/check-versions.ts'

it('docs/operators.md is up to date: else run node scripts/operators-page.mjs', () => {
  const page = readFileSync(new URL('../docs/operators.md', import.meta.url), 'utf8')
  expect(page).toBe(operatorsPage(operators, lowerable))
  expect(page).toContain(`versions ${OPSET_RANGE.join(' to ')}`)
})
