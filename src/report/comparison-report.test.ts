import { describe, expect, it } from 'vitest'
import { BINS } from '../quantize/histogram.ts'
import { plotFront } from '../search/plot.ts'
import { renderReport } from './comparison-report.ts'
import { comparison, type Element, histogramOf, hostile, named, parseStrictly } from './report.fixture.ts'

const options = { model: 'model.onnx', version: '1.2.3' }

describe('renderReport', () => {
  it('is well-formed, and needs and runs nothing', () => {
    const pareto = plotFront([{ x: 1, y: 2, label: '<b>' }], { title: 'front', xLabel: 'x', yLabel: 'y' })
    const html = renderReport(comparison(), { ...options, paretoPlot: pareto })
    const elements = parseStrictly(html)
    expect(
      elements.map(({ name }) => name).filter((name) => /^(script|link|iframe|object|form|base)$/.test(name)),
    ).toEqual([])
    for (const { attributes } of elements)
      for (const [key, text] of attributes) {
        expect(key).not.toMatch(/^on|^href$|^style$|^srcset$/)
        if (key === 'src') expect(text).toMatch(/^data:image\/svg\+xml,%3Csvg/)
      }
    const [style] = named(elements, 'style')
    expect(style.text).not.toMatch(/url\(|@import|expression/)
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org)/)
    const policy = elements.find(({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy')
    expect(policy?.attributes.get('content')).toContain("default-src 'none'")
  })

  it('shows what was found', () => {
    const html = renderReport(comparison(), options)
    const elements = parseStrictly(html)
    expect(named(elements, 'h1')).toHaveLength(1)
    // A plot over all values, two histograms for two of them and one for the third.
    expect(named(elements, 'svg')).toHaveLength(6)
    expect(named(elements, 'article')).toHaveLength(3)
    for (const text of [
      '24.0 dB',
      'ab'.repeat(32),
      'cd'.repeat(32),
      '131 kB',
      '9 bits',
      '0.5 %',
      '+9.5 dB',
      '−1.3 dB',
      '1 % clipped',
    ])
      expect(html).toContain(text)
    expect(html).not.toContain('Accuracy against size')
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/)
    expect(renderReport(comparison(), options)).toBe(html)
  })

  it('names the worst value and what to try first', () => {
    const html = renderReport(comparison(), options)
    expect(html).toMatch(/Most noise comes in at <bdi class="name">b<\/bdi>: its inputs have 30.0 dB, it has 24.5 dB/)
    expect(html).toMatch(/verdict warn.*--keep &#39;b:s16&#39;/)
    const agreed = renderReport(comparison({ values: comparison().values.slice(2) }), options)
    expect(agreed).toContain('agree on every value')
    expect(renderReport(comparison({ samples: 1 }), options)).toContain('Only 1 sample:')
    expect(parseStrictly(renderReport(comparison({ values: [] }), options))).not.toEqual([])
  })

  it.each(hostile)('shows the name %j as text', (name) => {
    const other = comparison()
    const html = renderReport(
      comparison({
        network: name,
        data: name,
        outputs: Array.from({ length: 5 }, () => ({ ...other.outputs[0], name })),
        values: other.values.map((found) => ({ ...found, name, operator: name })),
        program: { ...other.program, origin: { [name]: name, list: [name] } },
      }),
      { model: name, version: name },
    )
    const plain = parseStrictly(renderReport(comparison({ outputs: Array(5).fill(other.outputs[0]) }), options))
    // The same elements with the same attributes, whatever the name.
    const skeleton = (elements: readonly Element[]): string[] =>
      elements.map(({ name: element, attributes }) => `${element} ${[...attributes.keys()].join(' ')}`)
    expect(skeleton(parseStrictly(html))).toEqual(skeleton(plain))
    expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u)
    expect(html.length).toBeLessThan(2 ** 17)
  })

  it('survives numbers at their limits', () => {
    const [first] = comparison().values
    const values = [
      { ...first, accumulated: { sqnrDb: -Infinity, cosine: 0 }, addedNoise: Infinity, inheritedDb: -3 },
      { ...first, position: 0, local: { sqnrDb: Infinity, cosine: 1 }, extremes: { low: 5, high: 5 }, shape: [] },
      { ...first, position: 2, histogram: histogramOf([1e-30, -1e-30]), reach: { low: -1e30, high: 1e30 } },
    ]
    const html = renderReport(comparison({ values }), options)
    parseStrictly(html)
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })
})

it('histograms have an even number of bins, which plots rely on', () => {
  expect(BINS % 2).toBe(0)
})
