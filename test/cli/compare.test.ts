/** `dyadic compare` on the network that the repository ships: table, object and report agree; bad input is named. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { writeNpy } from '../../src/cli/npy-file.ts'
import { trialKinds } from '../../src/compare/trials.ts'
import { CALIBRATE, dyadic, MODEL, type Outcome, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)
/** JSON has no infinity. */
const decibels = z.number().nullable()
const agreement = z.strictObject({ sqnrDb: decibels, cosine: z.number().min(-1).max(1) })
const interval = z.strictObject({ low: z.number(), high: z.number() })
const entry = z.looseObject({ format: z.string(), scale: z.number(), zeroPoint: z.int() })
const kind = z.enum(trialKinds)
const shape = z.strictObject({
  ...{ schema: z.literal(1), command: z.literal('compare'), model: z.literal(MODEL), report: z.literal('report.html') },
  ...{ network: z.string(), data: z.literal('glyphs'), samples: z.literal(40) },
  outputs: z.array(z.strictObject({ name: z.string(), accumulated: agreement })),
  program: z.strictObject({
    ...{ plan: hash, integerGraph: hash, origin: z.record(z.string(), z.unknown()) },
    ...{ largestAccumulator: count, headroomBits: count, weightBytes: count, constantBytes: count },
    ...{ arenaBytes: count, memoryBytes: count },
  }),
  values: z.array(
    z.strictObject({
      ...{ name: z.string(), operator: z.string(), shape: z.array(count), position: count, format: z.string() },
      ...{ entry: entry.optional(), accumulated: agreement, inheritedDb: decibels, addedNoise: z.number() },
      ...{ local: agreement.optional(), reach: interval.optional(), extremes: interval },
      clipped: z.number().min(0).max(1),
      weights: z.strictObject({ format: z.string(), count, sqnrDb: decibels }).optional(),
      cause: z.enum(['weights', 'range', 'rounding', 'inputs']).optional(),
      trials: z.array(z.strictObject({ kind, sqnrDb: decibels, gainDb: decibels, tensor: entry.optional() })),
      action: z
        .strictObject({ kind, what: z.string(), option: z.string(), sqnrDb: decibels, gainDb: decibels })
        .optional(),
      expectedDb: decibels.optional(),
    }),
  ),
})

const SPOILT = 'down_depthwise_relu_out'
let outcome: Outcome
let result: z.infer<typeof shape>

beforeAll(async () => {
  expect((await dyadic(folder, ['quantize', MODEL, '--calibrate', CALIBRATE, '-o', 'plan.json', '-q'])).code).toBe(0)
  const plan = JSON.parse(readFileSync(at('plan.json'), 'utf8'))
  plan.tensors[SPOILT].scale *= 16
  writeFileSync(at('spoilt.json'), JSON.stringify(plan))
  const parameters = ['compare', MODEL, '--plan', 'spoilt.json', '--data', TEST, '--limit', '40']
  outcome = await dyadic(folder, [...parameters, '--report', 'report.html', '--json'])
  result = shape.parse(JSON.parse(outcome.stdout))
})

describe('compare', () => {
  it('prints one object, and progress on the other stream', () => {
    expect(outcome.code).toBe(0)
    expect(outcome.stdout.trimEnd()).not.toContain('\n')
    expect(outcome.stderr).toMatch(/^compare\ncompare: 80 in [\d.]+ s\n$/)
  })

  it('has the spoilt value first, with an edit that repairs it', () => {
    const [worst] = result.values
    expect([worst.name, worst.cause]).toEqual([SPOILT, 'range'])
    expect(worst.action?.gainDb).toBeGreaterThan(15)
    expect(worst.action?.option).toMatch(/^--range (minmax|mse)$/)
    const noise = result.values.map(({ addedNoise }) => addedNoise)
    expect(noise).toEqual(noise.toSorted((a, b) => b - a))
    expect(new Set(result.values.map(({ position }) => position)).size).toBe(result.values.length)
  })

  it('writes the same into one file that needs no other', () => {
    const html = readFileSync(at('report.html'), 'utf8')
    for (const text of [SPOILT, result.program.integerGraph, result.program.plan, '40 samples of'])
      expect(html).toContain(text)
    expect(html).not.toMatch(/<script|<link|https?:/)
  })

  it('prints a table, worst first, and takes its numbers from calibration too', async () => {
    const parameters = ['compare', MODEL, '--calibrate', CALIBRATE, '--samples', '32', '--data', TEST, '--limit', '4']
    const { code, stdout, stderr } = await dyadic(folder, parameters)
    expect(code).toBe(0)
    expect(stderr).toMatch(/4 samples say little about ranges/)
    expect(stdout).toMatch(/output +"logits": \d\d\.\d dB, cosine 0\.99\d+\n/)
    const rows = stdout.slice(stdout.indexOf('  value ')).trimEnd().split('\n')
    expect(rows[0].trim().split(/ {2,}/)).toEqual([
      'value',
      'operator',
      'format',
      'alone',
      'inputs',
      'accumulated',
      'cosine',
      'cause',
      'to try',
    ])
    expect(rows).toHaveLength(1 + result.values.length)
    expect(readdirSync(folder).sort()).toEqual(['plan.json', 'report.html', 'spoilt.json'])
  })

  it('says when it sees nothing new', async () => {
    const few = ['--samples', '8', '--limit', '8']
    const { code, stderr } = await dyadic(folder, ['compare', MODEL, '--calibrate', TEST, '--data', TEST, ...few])
    expect([code, stderr.includes('--data is the data of --calibrate')]).toEqual([0, true])
  })

  it('names what is wrong, and writes nothing', async () => {
    writeFileSync(at('large.npy'), writeNpy(new Float32Array(2 * 3072), [2, 3, 32, 32]))
    const foreign = JSON.parse(readFileSync(at('plan.json'), 'utf8'))
    foreign.tensors.nowhere = foreign.tensors[SPOILT]
    writeFileSync(at('foreign.json'), JSON.stringify(foreign))
    const data = ['--data', TEST]
    for (const [parameters, code, message] of [
      [['--plan', 'plan.json'], 2, /compare needs --data/],
      [data, 2, /is a float network: give --calibrate <data>.* or --plan <file>/],
      [[...data, '--plan', 'plan.json', '--range', 'mse'], 2, /--range would change nothing/],
      [['--plan', 'plan.json', '--data', 'large.npy'], 1, /shape \[2,3,32,32\]; wanted \[1,28,28\]/],
      [[...data, '--plan', 'foreign.json'], 1, /entries for "nowhere"/],
      [[...data, '--plan', 'plan.json', '--report', 'plan.json'], 2, /would be overwritten, but it is an input/],
    ] as const) {
      const found = await dyadic(folder, ['compare', MODEL, ...parameters, '-q'])
      expect(found.stderr).toMatch(message)
      expect([found.code, found.stdout]).toEqual([code, ''])
    }
    expect(readdirSync(folder).sort()).toEqual([
      ...['foreign.json', 'large.npy', 'plan.json', 'report.html', 'spoilt.json'],
    ])
  })
})
