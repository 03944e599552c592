import { describe, expect, it } from 'vitest'
import { type ProgramReport, renderProgramReport } from './program-report.ts'
import { comparison, hostile, named, parseStrictly } from './report.fixture.ts'

const row = {
  kind: 'convolution',
  accumulator: [-40, 60],
  biased: [-41, 61],
  requantised: [-3, 4],
  stored: [0, 4],
} as const
const answer = (index: number) => ({ index, score: -1.25 * index })

function report(changes: Partial<ProgramReport> = {}): ProgramReport {
  return {
    ...{ network: 'net', version: '1.2.3', comparison: comparison() },
    steps: [['read', 'model.onnx, 3 bytes']],
    options: [
      ['--symmetric', ''],
      ['--weights', 's4'],
    ],
    hashes: [['module', 'ab'.repeat(32)]],
    sizes: {
      wasmBytes: 47_862,
      gzipBytes: 36_000,
      weightBytes: 33_000,
      codeBytes: 12_000,
      manifestBytes: 2862,
      onnxBytes: 9,
    },
    memory: { bytes: 131_072, constantBytes: 60_000, arenaBytes: 8192 },
    buffers: [
      { name: 'x', kind: 'port', offset: 0, bytes: 784, from: -1, to: 0 },
      { name: 'a', kind: 'value', offset: 1024, bytes: 6272, from: 0, to: 1 },
      { name: 'c', kind: 'scratch', offset: 7296, bytes: 896, from: 1, to: 1 },
    ],
    instructions: [
      { name: 'x', kind: 'import' },
      { name: 'a', kind: 'convolution' },
    ],
    certificate: { largestAccumulator: 61, headroomBits: 25, rows: [{ name: 'a', ...row }] },
    answers: {
      ...{ data: 'set', samples: 3, agreed: 2, correct: { float: 3, integer: 2 }, classNames: ['zero', 'one'] },
      shown: [
        { name: 's0', picture: 'data:image/bmp;base64,AA==', label: 0, float: answer(0), integer: answer(1) },
        { name: 's1', float: answer(7), integer: answer(7) },
      ],
    },
    ...changes,
  }
}

describe('renderProgramReport', () => {
  it('is well-formed, and needs and runs nothing', () => {
    const html = renderProgramReport(report())
    const elements = parseStrictly(html)
    expect(named(elements, 'h1')).toHaveLength(1)
    const active = /^(script|link|iframe|object|form|base)$/
    expect(elements.map(({ name }) => name).filter((name) => active.test(name))).toEqual([])
    for (const { attributes } of elements)
      for (const [key, text] of attributes) {
        expect(key).not.toMatch(/^on|^href$|^style$|^srcset$/)
        if (key === 'src') expect(text).toMatch(/^data:image\/bmp;base64,/)
      }
    expect(html).not.toMatch(/https?:|url\(|@import|NaN|undefined|Infinity|\[object/)
    expect(renderProgramReport(report())).toBe(html)
  })

  it('has the figures as people and as scripts read them', () => {
    const elements = parseStrictly(renderProgramReport(report()))
    const figures = new Map(
      named(elements, 'data').map(({ attributes, text }) => [
        attributes.get('data-figure'),
        [attributes.get('value'), text],
      ]),
    )
    expect(Object.fromEntries(figures)).toMatchObject({
      wasmBytes: ['47862', '47.9 kB'],
      weightBytes: ['33000', '33,000'],
      memoryBytes: ['131072', '131 kB'],
      agreed: ['2', '2'],
      largestAccumulator: ['61', '61'],
    })
    const rows = elements.filter(({ attributes }) => attributes.has('data-bounds'))
    expect(rows.map(({ attributes }) => attributes.get('data-bounds'))).toEqual(['-40 60 -41 61 -3 4 0 4'])
  })

  it('marks the answers that differ, and names classes where they have names', () => {
    const html = renderProgramReport(report())
    expect(html.match(/class="sample other"/g)).toHaveLength(1)
    for (const text of ['<b>zero</b>', '<b>one</b> −1.250', '<b>class 7</b>', 'Right: float 3, integer 2 of 3.'])
      expect(html).toContain(text)
    const without = renderProgramReport(report({ answers: undefined, comparison: 'no samples' }))
    expect(without).not.toContain('<h2>Answers</h2>')
    expect(without).toContain('Not measured: no samples.')
  })

  it.each(hostile)('shows the name %j as text', (name) => {
    const plain = report()
    const html = renderProgramReport(
      report({
        ...{ network: name, version: name, steps: [[name, name]], options: [[name, name]], hashes: [[name, name]] },
        buffers: plain.buffers.map((buffer) => ({ ...buffer, name })),
        instructions: plain.instructions.map(() => ({ name, kind: name })),
        certificate: { ...plain.certificate, rows: [{ ...row, name, kind: name }] },
        answers: {
          ...{ data: name, samples: 3, agreed: 2, correct: { float: 3, integer: 2 }, classNames: [name, name] },
          shown: (plain.answers?.shown ?? []).map((shown) => ({ ...shown, name })),
        },
      }),
    )
    const skeleton = (text: string): string[] =>
      parseStrictly(text).map(({ name: element, attributes }) => `${element} ${[...attributes.keys()].join(' ')}`)
    const twoOptions = renderProgramReport(report({ options: [['--weights', 's4']] }))
    expect(skeleton(html)).toEqual(skeleton(twoOptions))
    expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u)
  })
})
