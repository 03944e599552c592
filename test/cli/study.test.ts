/** `dyadic study` as a shell runs it, on the network that the repository ships. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { CALIBRATE, dyadic, MODEL, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-study-'))
afterAll(() => rmSync(folder, { recursive: true }))

const count = z.int().min(0)
const share = z.number().min(0).max(1)
const row = z.strictObject({
  ...{ key: z.string().regex(/^[0-9a-f]{64}$/), name: z.string(), seconds: z.number().min(0) },
  arithmetic: z.looseObject({ weights: z.string(), products: z.string(), layers: z.array(z.unknown()) }),
  score: z.strictObject({
    ...{ total: z.literal(60), correct: count, lost: count, gained: count, agreement: share },
    ...{ nll: z.number().nullable(), sqnrDb: z.number().nullable() },
  }),
  cost: z.strictObject({
    ...{ weightBits: count, weights: count, valueBits: count, values: count, macs: count },
    energy: z.strictObject({ picojoules: z.number(), bound: z.boolean(), unknownMacs: count }),
    chosen: z.record(z.string(), count),
  }),
})
const record = z.strictObject({
  ...{ schema: z.literal(1), kind: z.literal('dyadic-study'), version: z.string(), model: z.literal('glyphs.onnx') },
  data: z.strictObject({ name: z.string(), samples: z.literal(60) }),
  calibration: z.strictObject({ name: z.string(), samples: z.literal(32) }).optional(),
  rows: z.array(row),
})
const printed = z.strictObject({
  ...record.shape,
  ...{ command: z.literal('study'), metric: z.enum(['top1', 'nll']), out: z.string().optional() },
  report: z.string().optional(),
})
type Row = z.infer<typeof row>

const DATA = ['--data', TEST, '--limit', '60']
const CALIBRATED = [...DATA, '--calibrate', CALIBRATE, '--samples', '32']
const timeless = ({ seconds: _, ...rest }: Row): object => rest

describe('dyadic study', () => {
  const formats = ['--formats', 'int8,int2', '--exempt', 'last']

  it('counts with every format, the same on one thread as on two, and goes on where it was', async () => {
    const words = ['study', MODEL, ...CALIBRATED, ...formats]
    const first = await dyadic(folder, [...words, '-o', 'a.json', '--report', 'a.html', '--json', '--threads', '2'])
    expect(first.stderr).toContain('2/2 weights and activations int2')
    expect(first.code).toBe(0)
    const { rows, metric, out } = printed.parse(JSON.parse(first.stdout))
    expect([metric, out]).toEqual(['top1', 'a.json'])
    const named = new Map(rows.map((one) => [one.name, one]))
    const float = named.get('float32')!
    const rest = '@last weights float32, products exact, accumulators float32'
    const eight = named.get(`weights and activations int8, ${rest}`)!
    const two = named.get(`weights and activations int2, ${rest}`)!
    expect(float.score).toMatchObject({ lost: 0, gained: 0, agreement: 1, sqnrDb: null })
    expect(eight.score.agreement).toBeGreaterThan(0.95)
    expect(two.score.lost).toBeGreaterThan(10)
    expect(float.cost.weightBits).toBe(32 * float.cost.weights)
    expect(two.cost.weightBits).toBeLessThan(eight.cost.weightBits)
    // Best first.
    expect(rows.map(({ score }) => score.correct)).toEqual(rows.map(({ score }) => score.correct).sort((a, b) => b - a))

    const kept = record.parse(JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')))
    expect(kept.rows.map(timeless)).toEqual(expect.arrayContaining(rows.map(timeless)))
    const alone = await dyadic(folder, [...words, '-o', 'b.json', '--json', '--threads', '1'])
    expect(printed.parse(JSON.parse(alone.stdout)).rows.map(timeless)).toEqual(rows.map(timeless))

    const again = await dyadic(folder, [...words, '-o', 'a.json', '--json'])
    expect(again.stderr).not.toContain('int8')
    expect(JSON.parse(again.stdout).rows).toEqual(rows)
    const page = readFileSync(join(folder, 'a.html'), 'utf8')
    expect(page.match(/<svg/g)).toHaveLength(2)
    expect(page).toContain('weights and activations int2')
    expect(page).not.toMatch(/<script|https?:/)
  })

  it('keeps rows of other questions in the same file', async () => {
    const run = (format: string, limit: string) =>
      dyadic(folder, [
        'study',
        MODEL,
        '--data',
        TEST,
        '--limit',
        limit,
        '--formats',
        format,
        '--for',
        'weights',
        '-o',
        'c.json',
      ])
    for (const [format, limit] of [
      ['e2m1', '20'],
      ['int4', '10'],
    ] as const)
      expect((await run(format, limit)).code).toBe(0)
    const { rows } = JSON.parse(readFileSync(join(folder, 'c.json'), 'utf8'))
    expect(rows.map(({ name, score }: Row) => `${name} ${score.total}`).sort()).toEqual([
      ...['float32 10', 'float32 20', 'weights e2m1 20', 'weights int4 10'],
    ])
  })

  it('studies products and sums, by text for people', async () => {
    const { code, stdout } = await dyadic(folder, [
      ...[
        'study',
        MODEL,
        ...DATA,
        '--products',
        'l-mul4,e5m2',
        '--accumulators',
        'float32,mantissa3',
        '--metric',
        'nll',
      ],
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/arithmetic +correct of 60 +lost +gained +agreement +NLL +weights +values +energy\n/)
    for (const line of ['float32', 'products l-mul4', 'products e5m2, sums mantissa3'])
      expect(stdout).toContain(`  ${line} `)
    expect(stdout).toMatch(/products l-mul4 .* at most [\d.]+ µJ/)
    expect(stdout).toMatch(/products e5m2 .* unknown\n/)
  })

  it('takes arithmetics as JSON', async () => {
    writeFileSync(join(folder, 'arithmetic.json'), '{"weights": "flint4", "weightScales": "tensor"}')
    const { code, stdout } = await dyadic(folder, [
      ...['study', MODEL, ...DATA, '--arithmetic', 'arithmetic.json', '--arithmetic', '{"weights":"power4-0.5"}'],
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('weights flint4, one scale per weight tensor')
    expect(stdout).toContain('weights power4-0.5')
  })

  it('names what is wrong before it runs anything', async () => {
    const wrong: readonly [words: readonly string[], code: number, message: RegExp][] = [
      [['--formats', 'fp8'], 2, /no format is called "fp8"; a study knows int8, /],
      [['--formats', 'int8'], 2, /need scales: give --calibrate/],
      [['--layer', 'nothing:weights=int8'], 2, /pattern "nothing" matches nothing that has weights; there are /],
      [
        ['--arithmetic', '{"weights":"int4","weights":"int8"}'],
        2,
        /--arithmetic 1: the key "weights" stands twice in /,
      ],
      [['--arithmetic', '{"__proto__":{"weights":"int4"}}'], 2, /--arithmetic 1: no field is called "__proto__"/],
      [['--arithmetic', `{"layers":${'['.repeat(1e4)}`], 2, /--arithmetic 1: it is nested deeper than 64 levels/],
      [['--arithmetic', '{"weights":'], 2, /--arithmetic 1 is not JSON in UTF-8; an arithmetic is an object such as /],
      [['--arithmetic', 'twice.json'], 2, /--arithmetic 1 "twice.json": the key "range" stands twice in one object/],
      [['--arithmetic', 'nowhere.json'], 1, /"nowhere.json": there is no such file/],
      [['--products', 'l-mul4', '--for', 'attention'], 2, /no product of two computed tensors/],
      [['--formats', 'int8', '--for', 'weights', '--range', 'entropy'], 2, /a study knows minmax and mse/],
    ]
    writeFileSync(join(folder, 'twice.json'), '{"range": "mse", "range": "minmax"}')
    for (const [words, code, message] of wrong) {
      const outcome = await dyadic(folder, ['study', MODEL, ...DATA, ...words, '-o', 'none.json'])
      expect(outcome.stderr).toMatch(message)
      expect(outcome.code).toBe(code)
      expect(outcome.stdout).toBe('')
    }
    expect(existsSync(join(folder, 'none.json'))).toBe(false)
    writeFileSync(join(folder, 'other.json'), '{"kind":"dyadic-plan"}')
    const other = await dyadic(folder, ['study', MODEL, ...DATA, '--products', 'e5m2', '-o', 'other.json'])
    expect(other.stderr).toMatch(/"other.json" holds no results of a study/)
    expect(other.code).toBe(1)
  })
})
