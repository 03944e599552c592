/** Figures of scores, by hand; samples as one array; results as text and as a page. */
import { describe, expect, it } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import { net, noise, scalar } from '../reference/fast/net.fixture.ts'
import { renderStudy } from '../report/study-report.ts'
import { FLOAT_ARITHMETIC } from './arithmetic.ts'
import { observeValues, SAMPLE } from './observe.ts'
import { parseRows, printRecord, type StudyRecord } from './record.ts'
import { prepareRun } from './run.ts'
import { setOfSamples, storeSamples } from './samples.ts'
import { scoreAgainst } from './score.ts'

const table = (...scores: number[]) => ({ classes: 2, scores: Float32Array.from(scores) })

describe('scoreAgainst', () => {
  it('counts what is lost and gained, and NaN as wrong', () => {
    const reference = table(1, 0, 1, 0, 0, 1, 1, 0)
    const score = scoreAgainst(reference, table(1, 0, 0, 1, 1, 0, Number.NaN, 0), [0, 0, 0, 0])
    expect(score).toMatchObject({ total: 4, correct: 2, lost: 2, gained: 1, agreement: 1 / 4 })
    expect(score.nll).toBeNaN()
  })

  it('of the same table is no loss', () => {
    const same = table(Math.log(3), 0, 0, 0)
    const score = scoreAgainst(same, same, [0, 1])
    expect(score).toMatchObject({ correct: 1, lost: 0, gained: 0, agreement: 1, sqnrDb: Number.POSITIVE_INFINITY })
    expect(score.nll).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 6)
  })
})

function setOf(count: number, labelled = true): DataSet {
  return {
    ...{ name: 'noise', length: count, elementType: 'uint8', shape: [3], channelAxis: 0, scale: [0.5], offset: [100] },
    label: (index) => (labelled ? index % 3 : undefined),
    read: async (index) => Uint8Array.from(noise(3, index + 1), (value) => 128 + 100 * value),
    describe: String,
  }
}

describe('samples', () => {
  const graph = net({ x: [1, 3] }, [
    { operator: 'dyadic.Dense', inputs: ['x', { shape: [4, 3] }] },
    { operator: 'Relu', inputs: ['v0'] },
  ])

  it('are read once, and are the set that they were', async () => {
    const stored = await storeSamples(setOf(5), { limit: 4 })
    expect([stored.length, [...stored.labels], stored.data.length]).toEqual([4, [0, 1, 2, 0], 12])
    expect(await setOfSamples(stored).read(2)).toEqual(await setOf(5).read(2))
    await expect(storeSamples(setOf(0))).rejects.toThrow(/"noise" has no samples/)
    await expect(storeSamples(setOf(2, false))).rejects.toThrow(/has no label/)
  })

  it('run under an arithmetic', async () => {
    const samples = await storeSamples(setOf(3))
    const { classes, scores, resolved } = prepareRun({ graph, samples, statistics: undefined }, FLOAT_ARITHMETIC)
    expect([classes, scores(0).length, resolved.values.get('x')?.bits]).toEqual([4, 4, 24])
  })

  it('show the ends of values and some between, alike each time', async () => {
    const statistics = await observeValues(graph, setOf(9))
    expect([...statistics.keys()]).toEqual(['x', 'v0', 'v1'])
    const input = statistics.get('x')!
    expect(Math.min(...input.sample)).toBe(input.low)
    expect(input.sample.length).toBe(27)
    expect(statistics.get('v1')!.low).toBe(0)
    expect(await observeValues(graph, setOf(9))).toEqual(statistics)
    expect(SAMPLE).toBeGreaterThan(27)
    await expect(observeValues(graph, setOf(0))).rejects.toThrow(/has no samples/)
    const infinite = net({ x: [1, 3] }, [{ operator: 'Div', inputs: ['x', scalar(0)] }])
    await expect(observeValues(infinite, setOf(1))).rejects.toThrow(/sample "0", value "v0": element 0 is/)
  })
})

describe('results', () => {
  const energy = { picojoules: 2e6, bound: true, unknownMacs: 0 }
  const record: StudyRecord = {
    ...{ schema: 1, kind: 'dyadic-study', version: '1', model: '<b>.onnx' },
    ...{ data: { name: 'noise', samples: 2 }, calibration: undefined },
    rows: [
      {
        ...{ key: 'a', name: '<script>', arithmetic: FLOAT_ARITHMETIC, seconds: 1 },
        score: { total: 2, correct: 1, lost: 0, gained: 0, agreement: 1, nll: Number.POSITIVE_INFINITY, sqnrDb: 3 },
        cost: { weightBits: 80, weights: 10, valueBits: 16, values: 2, macs: 20, energy, chosen: {} },
      },
    ],
  }

  it('survive printing and parsing, infinities too', () => {
    expect([...parseRows(JSON.parse(printRecord(record)), 'a file').values()]).toEqual(record.rows)
    expect(() => parseRows({ kind: 'dyadic-plan' }, '"a"')).toThrow(/"a" holds no results of a study/)
    expect(() => parseRows({ ...record, rows: [{ key: 'a' }] }, '"a"')).toThrow(/a row has no key/)
  })

  it('are a page that shows names as text', () => {
    const page = renderStudy(record, 'top1')
    expect(page).toContain('&lt;script&gt;')
    expect(page).toContain('≤ 2 µJ')
    expect(page).not.toMatch(/<script|<b>\.onnx/)
    expect(renderStudy(record, 'nll')).toContain('∞')
  })
})
