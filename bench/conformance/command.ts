/**
 * `npm run conformance`: the ONNX node suite against the float reference, counted per operator. `--core` and `--wide`
 * keep a subset, `--operator Conv` the cases that use an operator, `--simple` takes the suite's small graphs instead and
 * `--light` its whole networks (by the fast executor),
 * `--json` prints one object and `--verbose` every case that did not pass. Exit code 1 when a case failed: computed a
 * wrong result or crashed; a refusal is none.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type LightOutcome, runLight } from './light.ts'
import { type Outcome, runCase } from './run-case.ts'
import { core, wide, within } from './subsets.ts'
import { readSuite } from './suite.ts'

interface Counts {
  passed: number
  failed: number
  refused: number
}

const { values } = parseArgs({
  options: {
    core: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    simple: { type: 'boolean', default: false },
    light: { type: 'boolean', default: false },
    operator: { type: 'string' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    suite: { type: 'string', default: '../shared/conformance/onnx-node' },
  },
})
const archive = `${values.suite}/${values.light ? 'light.tar' : values.simple ? 'simple.tar' : 'node.tar.gz'}`
if (!existsSync(archive)) {
  process.stderr.write(`the suite is not at ${archive}; give its folder with --suite\n`)
  process.exitCode = 2
} else
  process.exitCode = values.light ? reportNetworks(runLight(archive)) : reportCases(readSuite(archive).map(runCase))

function print(report: object): void {
  process.stdout.write(`${JSON.stringify({ schema: 1, command: 'conformance', ...report }, undefined, 2)}\n`)
}

function reportNetworks(networks: readonly LightOutcome[]): number {
  if (values.json) print({ networks })
  else
    for (const { name, result, message } of networks)
      process.stdout.write(`${name.padEnd(20)} ${result}${message === undefined ? '' : `: ${message}`}\n`)
  return networks.some(({ result }) => result === 'failed') ? 1 : 0
}

function reportCases(all: readonly Outcome[]): number {
  const outcomes = all.filter(
    ({ operators }) =>
      (!values.core || within(core, operators)) &&
      (!values.wide || within(wide, operators)) &&
      (values.operator === undefined || operators.includes(values.operator)),
  )
  const total = count(outcomes)
  const byOperator = new Map<string, Counts>()
  for (const name of [...new Set(outcomes.flatMap(({ operators }) => operators))].sort())
    byOperator.set(name, count(outcomes.filter(({ operators }) => operators.includes(name))))
  if (values.json)
    print({
      total,
      core: count(outcomes.filter(({ operators }) => within(core, operators))),
      wide: count(outcomes.filter(({ operators }) => within(wide, operators))),
      operators: Object.fromEntries(byOperator),
      cases: outcomes.filter(({ result }) => result !== 'passed'),
    })
  else {
    const line = (name: string, { passed, failed, refused }: Counts) =>
      `${name.padEnd(34)}${String(passed).padStart(8)}${String(failed).padStart(8)}${String(refused).padStart(9)}\n`
    process.stdout.write(`${'operator'.padEnd(34)}  passed  failed  refused\n`)
    for (const [name, counts] of byOperator) process.stdout.write(line(name, counts))
    process.stdout.write(line('all cases', total))
    if (values.verbose)
      for (const { name, result, message } of outcomes)
        if (result !== 'passed') process.stdout.write(`${result} ${name}: ${message}\n`)
  }
  return total.failed > 0 ? 1 : 0
}

function count(list: readonly Outcome[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, refused: 0 }
  for (const { result } of list) counts[result]++
  return counts
}
