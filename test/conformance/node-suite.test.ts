/**
 * The ONNX node suite against the float reference: everything of the core subset that is an inference on dense tensors
 * passes, at least 97 of 100 cases of the wide subset do, and every other case is refused with operator, domain and
 * version. Nothing computes a wrong result.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runLight } from '../../bench/conformance/light.ts'
import { type Outcome, runCase } from '../../bench/conformance/run-case.ts'
import { core, wide, within } from '../../bench/conformance/subsets.ts'
import { readSuite } from '../../bench/conformance/suite.ts'

const folder = fileURLToPath(new URL('../../../shared/conformance/onnx-node/', import.meta.url))
const required = process.env.CI !== undefined && process.env.CI !== 'false'
const present = existsSync(`${folder}node.tar.gz`)
if (!present && !required) console.warn(`skipped: the ONNX node suite is expected at ${folder}`)

/** Cases of core operators that are refused: sequences and optionals. */
const OTHERS = /^identity_(?:opt|sequence)$/

const isExpanded = ({ name }: Outcome): boolean => name.includes('_expanded')

it('the suite is here wherever continuous integration runs', () => {
  if (required) expect(present).toBe(true)
  expect(core.size).toBe(66)
  expect(wide.size).toBeGreaterThanOrEqual(116)
})

describe.skipIf(!present)('the ONNX node suite', () => {
  const outcomes = present ? readSuite(`${folder}node.tar.gz`).map(runCase) : []

  it('is read completely', () => {
    expect(outcomes.length).toBe(1802)
  })

  it('has no wrong result and no crash', () => {
    expect(
      outcomes.filter(({ result }) => result === 'failed').map(({ name, message }) => `${name}: ${message}`),
    ).toEqual([])
  })

  it('passes all of the core subset', () => {
    const cases = outcomes.filter(({ name, operators }) => within(core, operators) && !OTHERS.test(name))
    expect(cases.length).toBe(662)
    expect(cases.filter(({ result }) => result !== 'passed').map(({ name, message }) => `${name}: ${message}`)).toEqual(
      [],
    )
  })

  it('passes at least 97 % of the wide subset', () => {
    const cases = outcomes.filter((outcome) => within(wide, outcome.operators) && !isExpanded(outcome))
    expect(cases.length).toBeGreaterThan(890)
    expect(cases.filter(({ result }) => result === 'passed').length / cases.length).toBeGreaterThanOrEqual(0.97)
  })

  it('computes the cases of quantisation operators exactly', () => {
    const quantisation = /^(?:DynamicQuantizeLinear|QuantizeLinear|DequantizeLinear|QLinear\w+|\w+Integer)$/
    const cases = outcomes.filter(
      ({ operators }) => operators.length === 1 && quantisation.test(operators[0] as string),
    )
    expect(cases.length).toBe(42)
    expect(cases.filter(({ result }) => result !== 'passed').map(({ name }) => name)).toEqual([])
  })

  it('refuses the rest by operator, domain and version', () => {
    const refused = outcomes.filter(({ result }) => result === 'refused')
    expect(refused.length).toBeGreaterThan(100)
    for (const { message } of refused) expect(message).toMatch(/^[a-z.]+::\w+ \(opset \d+\).*: ./s)
  })
})

describe.skipIf(!present)('the small graphs of the suite', () => {
  it('pass, or are refused by name', () => {
    const outcomes = readSuite(`${folder}simple.tar`).map(runCase)
    expect(outcomes.length).toBe(23)
    expect(
      outcomes.filter(({ result }) => result === 'failed').map(({ name, message }) => `${name}: ${message}`),
    ).toEqual([])
    const inside = outcomes.filter(({ operators }) => within(wide, operators))
    expect(inside.length).toBe(7)
    expect(inside.every(({ result }) => result === 'passed')).toBe(true)
  })
})

describe.skipIf(!present)('the whole networks of the suite', () => {
  // Three of the nine, for time; `npm run conformance -- --light` runs all.
  it('run in the fast executor', () => {
    const small = ['inception_v1', 'shufflenet', 'squeezenet']
    expect(runLight(`${folder}light.tar`, (name) => small.includes(name))).toEqual(
      small.map((name) => ({ name, result: 'passed' })),
    )
  })
})
