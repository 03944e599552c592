/** `dyadic search` on the network that the repository ships: the plan, the front, what is kept, and what is refused. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { CALIBRATE, COMMAND, dyadic, environment, MODEL, type Outcome, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-search-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
const text = (name: string): string => readFileSync(at(name), 'utf8')
const sha256 = (name: string): string => createHash('sha256').update(text(name)).digest('hex')

const FEW = ['search', MODEL, '--calibrate', CALIBRATE, '--samples', '32']
const search = (...words: string[]): Promise<Outcome> => dyadic(folder, [...FEW, ...words])

const count = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const loss = { squaredError: z.number().min(0), divergence: z.number().min(0), correct: count }
const schema = z.strictObject({
  schema: z.literal(1),
  command: z.literal('search'),
  model: z.literal(MODEL),
  out: z.literal('a.plan.json'),
  plot: z.literal('a.svg'),
  plan: hash,
  origin: z.looseObject({ search: z.looseObject({ sensitivities: hash }) }),
  solver: z.literal('optimal'),
  budgets: z.array(z.strictObject({ budget: z.string(), most: count, cost: count, base: count })),
  base: z.strictObject({ bytes: count, bops: count, ...loss }),
  evaluation: z.strictObject({ data: z.literal('glyphs'), total: z.literal(60), float: count }),
  layers: z.array(z.strictObject({ name: z.string(), bits: count, sensitivities: z.array(z.number().min(0)) })),
  front: z.array(
    z.strictObject({
      ...{ chosen: z.boolean(), bits: z.array(count), bytes: count, bops: count, predictedError: z.number(), ...loss },
    }),
  ),
})

const CHOSEN = ['--budget', 'bytes<=62%', '--budget', 'bops<=75%', '--bits', '4,8', '-o', 'a.plan.json']
let found: z.infer<typeof schema>

beforeAll(async () => {
  const { code, stdout, stderr } = await search(
    ...[...CHOSEN, '--eval', TEST, '--limit', '60', '--plot', 'a.svg', '--json', '-q'],
  )
  expect([code, stderr]).toEqual([0, ''])
  found = schema.parse(JSON.parse(stdout))
})

describe('search', () => {
  it('meets every budget, on the front it prints', () => {
    expect(found.budgets.map(({ budget }) => budget)).toEqual(['bytes<=62%', 'bops<=75%'])
    for (const { most, cost, base } of found.budgets) {
      expect(cost).toBeLessThanOrEqual(most)
      expect(most).toBeLessThan(base)
    }
    const [chosen, ...others] = found.front.filter((point) => point.chosen)
    expect(others).toEqual([])
    expect([chosen.bytes, chosen.bops]).toEqual(found.budgets.map(({ cost }) => cost))
    expect(chosen.bits).toEqual(found.layers.map(({ bits }) => bits))
    expect(found.front.map(({ bytes }) => bytes)).toEqual(
      found.front.map(({ bytes }) => bytes).toSorted((a, b) => a - b),
    )
    for (const { bops } of found.front) expect(bops).toBeLessThanOrEqual(found.budgets[1].most)
    for (const { sensitivities } of found.layers) expect(Math.min(...sensitivities)).toBe(0)
  })

  it('writes a plan whose program costs and answers what was printed', async () => {
    expect(sha256('a.plan.json')).toBe(found.plan)
    const { origin, weights } = JSON.parse(text('a.plan.json'))
    expect(origin.search).toEqual({
      ...{
        budgets: ['bytes<=62%', 'bops<=75%'],
        bits: [4, 8],
        solver: 'optimal',
        sensitivity: 'measured',
        heldBack: 8,
      },
      sensitivities: found.origin.search.sensitivities,
      front: {
        axis: 'bytes',
        points: found.front.map(({ chosen, bytes, squaredError }) => ({
          ...{ chosen, cost: bytes },
          sqnrDb: Math.round(-1000 * Math.log10(squaredError)) / 100,
        })),
      },
    })
    expect(found.layers.map(({ name }) => weights[name].format)).toEqual(found.layers.map(({ bits }) => `s${bits}`))
    const cost = JSON.parse((await dyadic(folder, ['cost', MODEL, '--plan', 'a.plan.json', '--json'])).stdout)
    expect([cost.totals.weightBytes + cost.totals.biasBytes, cost.totals.bops]).toEqual(
      found.budgets.map(({ cost: value }) => value),
    )
    await dyadic(folder, ['compile', MODEL, '--plan', 'a.plan.json', '-o', 'a.wasm', '-q'])
    const words = ['eval', 'a.wasm', '--data', TEST, '--limit', '60', '--json', '-q']
    const { correct } = JSON.parse((await dyadic(folder, words)).stdout)
    expect(correct).toBe(found.front.find(({ chosen }) => chosen)?.correct)
    expect(text('a.svg')).toMatch(/^<svg [\s\S]*>chosen<\/text>[\s\S]*<\/svg>\n$/)
  })

  it('goes on from what is kept, and writes the same plan', async () => {
    const kept = JSON.parse(text('a.sensitivities.json'))
    expect(kept.losses).toHaveLength(2 * found.layers.length)
    writeFileSync(at('b.sensitivities.json'), JSON.stringify({ ...kept, losses: kept.losses.slice(5) }))
    const { code, stdout, stderr } = await search(...CHOSEN, '-o', 'b.plan.json')
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/measured on the 8 after them; so few leave the choice to chance/),
    ])
    expect(text('b.plan.json')).toBe(text('a.plan.json'))
    expect(text('b.sensitivities.json')).toBe(text('a.sensitivities.json'))
    expect(stdout).toMatch(/^ {2}> .* dB$/m)
    expect(stdout).toContain('SQNR of the outputs; X is chosen')
    // What was measured of something else is not believed.
    const lies = kept.losses.map((entry: object) => ({ ...entry, squaredError: 0 }))
    writeFileSync(at('b.sensitivities.json'), JSON.stringify({ ...kept, key: '0'.repeat(64), losses: lies }))
    await search(...CHOSEN, '-o', 'b.plan.json', '-q')
    expect(text('b.plan.json')).toBe(text('a.plan.json'))
    expect(text('b.sensitivities.json')).toBe(text('a.sensitivities.json'))
  })

  it('takes the weights alone, another loss and a method', async () => {
    const weights = await search(...['--budget', 'bytes<=60%', '--sensitivity', 'weights', '-o', 'w.json', '-q'])
    expect([weights.code, existsSync(at('w.sensitivities.json'))]).toEqual([0, false])
    expect(JSON.parse(text('w.json')).origin.search).not.toHaveProperty('sensitivities')
    const words = ['--budget', 'bytes<=60%', '--sensitivity', 'divergence', '--method', 'bias-correction']
    const { code } = await search(...words, '-o', 'd.json', '--plot', 'd.html', '-q')
    expect([code, text('d.html').startsWith('<!doctype html>\n')]).toEqual([0, true])
    const { origin, biases } = JSON.parse(text('d.json'))
    expect([origin.methods, Object.keys(biases)]).toEqual([['bias-correction'], found.layers.map(({ name }) => name)])
  })

  it('leaves layers that --keep names out of the choice', async () => {
    const words = ['--budget', 'bytes<=60%', '--keep', '@first:w8,@last:w6', '-o', 'k.json', '--json', '-q']
    const { code, stdout } = await search(...words)
    expect(code).toBe(0)
    const { front, layers } = JSON.parse(stdout)
    expect(layers.at(0)).toMatchObject({ bits: 8, sensitivities: [] })
    expect(layers.at(-1)).toMatchObject({ bits: 6, sensitivities: [] })
    for (const { bits } of front) expect([bits.at(0), bits.at(-1)]).toEqual([8, 6])
    expect(new Set(layers.slice(1, -1).map(({ bits }: { bits: number }) => bits))).toEqual(new Set([4, 8]))
    const { weights } = JSON.parse(text('k.json'))
    expect(weights[layers.at(-1).name].format).toBe('s6')
    const { losses } = JSON.parse(text('k.sensitivities.json'))
    expect(losses).toHaveLength(2 * (layers.length - 2))
    const wrong = await search('--budget', 'bytes<=60%', '--keep', 'nothing:w8', '-o', 'n.json')
    expect([wrong.code, wrong.stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(/"nothing" of "nothing:w8" matches no layer with weights; there are /),
    ])
    expect(wrong.code).not.toBe(0)
    expect(existsSync(at('n.json'))).toBe(false)
  })

  it('hands its front to the report of compare', async () => {
    const words = [
      'compare',
      MODEL,
      '--plan',
      'a.plan.json',
      '--data',
      TEST,
      '--limit',
      '8',
      '--report',
      'a.html',
      '-q',
    ]
    expect((await dyadic(folder, words)).code).toBe(0)
    expect(text('a.html')).toMatch(/<img alt="Pareto front" src="data:image\/svg\+xml,[^"]*chosen%3C%2Ftext/)
    // A front that somebody has edited into something else is no front, and nothing to stop for.
    const plan = JSON.parse(text('a.plan.json'))
    plan.origin.search.front.points[0].cost = '<script>'
    writeFileSync(at('edited.plan.json'), JSON.stringify(plan))
    expect((await dyadic(folder, [...words.slice(0, 3), 'edited.plan.json', ...words.slice(4)])).code).toBe(0)
    expect(text('a.html')).not.toContain('Pareto front')
    expect(text('a.html')).not.toContain('<script>')
  })

  it('refuses budgets that cannot be met, naming the least that can be, and writes nothing', async () => {
    const before = readdirSync(folder)
    const { code, stdout, stderr } = await search('--budget', 'bytes<=16KB', '-o', 'none/n.json', '--json')
    expect([code, stderr]).toEqual([
      4,
      expect.stringMatching(/at most 16000 bytes, but the smallest achievable is 16040\n/),
    ])
    expect(JSON.parse(stdout)).toMatchObject({ command: 'search', error: { code: 'gate' } })
    const timed = await search('--budget', 'ms<=50%', '-o', 'none/n.json')
    expect([timed.code, timed.stderr]).toEqual([
      4,
      expect.stringMatching(/but the smallest achievable is 0?\.\d+; weights are widened when a program starts/),
    ])
    expect(readdirSync(folder)).toEqual(before)
  })

  it.each<[string, string[], RegExp]>([
    ['no budget', [], /a search needs a budget: --budget/],
    ['two budgets on one cost', ['--budget', 'bytes<=60%', '--budget', 'bytes<=1KB'], /second budget on the same cost/],
    ['a picture in another format', ['--budget', 'bytes<=60%', '--plot', 'a.png'], /an \.svg or an \.html file/],
    ['a limit without labels', ['--budget', 'bytes<=60%', '--limit', '5'], /--limit is about --eval/],
    ['one file twice', ['--budget', 'bytes<=60%', '-o', 'x.svg', '--plot', 'x.svg'], /"x\.svg" would be overwritten/],
  ])('refuses %s', async (_, words, message) => {
    const { code, stderr } = await search(...words)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('refuses a record that is none, one sample, and no samples', async () => {
    writeFileSync(at('c.sensitivities.json'), '{}')
    const broken = await search('--budget', 'bytes<=60%', '-o', 'c.plan.json')
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringContaining('"c.sensitivities.json" is no record of measured sensitivities; delete it'),
    ])
    const one = await search('--samples', '1', '--budget', 'bytes<=60%', '-o', 'c.plan.json')
    expect([one.code, one.stderr]).toEqual([1, expect.stringContaining('gives 1 sample: a search needs some')])
    const none = await dyadic(folder, ['search', MODEL, '--budget', 'bytes<=60%', '-o', 'c.plan.json'])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('give --calibrate <data>')])
    expect(existsSync(at('c.plan.json'))).toBe(false)
  })

  it('keeps what it has measured when it is interrupted', async () => {
    const words = [COMMAND, ...FEW, '--budget', 'bytes<=60%', '--bits', '2,3,4,5,6,7,8', '-o', 'i.plan.json']
    const child = spawn(process.execPath, words, { cwd: folder, env: environment() })
    let stderr = ''
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk) => {
        stderr += chunk
        if (/^measure layers$/m.test(stderr)) resolve()
      })
    })
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    expect(code).toBe(130)
    expect(stderr).toContain('"i.sensitivities.json"; the same command goes on from there')
    expect(existsSync(at('i.plan.json'))).toBe(false)
    const { losses } = JSON.parse(text('i.sensitivities.json'))
    expect(losses.length).toBeGreaterThan(0)
    expect(losses.length).toBeLessThan(7 * found.layers.length)
  })
})
