import { describe, expect, it } from 'vitest'
import type { Comparison, ValueLoss } from '../compare/comparison.ts'
import { BINS, type Histogram, streamingHistogram } from '../quantize/histogram.ts'
import { plotFront } from '../search/plot.ts'
import { renderReport } from './comparison-report.ts'

/** Names as nobody should give them: markup, quotes, terminal controls, marks that turn text around, lone surrogates. */
const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '</title></style><svg/onload=alert(1)>',
  '\u001b[31mred\u0000\u007f\u0085',
  'a\u202eb\u2066c\u200bd\u2028e\ufeff',
  '\ud800 \udfff \uffff',
  '&lt;&#x3c;&amp;',
  '__proto__',
  'name'.repeat(500),
]

const histogramOf = (values: readonly number[]): Histogram => {
  const histogram = streamingHistogram()
  histogram.observe(values)
  return histogram.read()
}

function value(name: string, position: number, changes: Partial<ValueLoss> = {}): ValueLoss {
  const trial = { kind: 'activations-16', sqnrDb: 40 + position, gainDb: 9.5 } as const
  return {
    ...{ name, position, operator: 'dyadic.Conv', shape: [1, 4, 2, 2], format: 'u8', clipped: 0.01, cause: 'rounding' },
    entry: { format: 'u8', scale: 0.02, zeroPoint: 3 },
    accumulated: { sqnrDb: 25 - position / 2, cosine: 0.9987 },
    inheritedDb: 30,
    addedNoise: 0.01 / (position + 1),
    local: { sqnrDb: 31.25, cosine: 0.9995 },
    reach: { low: -0.06, high: 5.04 },
    extremes: { low: -1, high: 6 },
    histogram: histogramOf([-1, 0, 0, 0.5, 1, 6]),
    weights: { format: 's8', count: 1234, sqnrDb: 44, histogram: histogramOf([-0.5, 0.25, 0.5]) },
    trials: [{ kind: 'range-mse', sqnrDb: 30, gainDb: -1.25 }, trial],
    action: trial,
    expectedDb: 26.5,
    ...changes,
  } as ValueLoss
}

function comparison(changes: Partial<Comparison> = {}): Comparison {
  const nothing: Partial<ValueLoss> = {
    ...{ entry: undefined, local: undefined, reach: undefined, weights: undefined, cause: undefined, clipped: 0 },
    ...{ trials: [], action: undefined, expectedDb: undefined, addedNoise: 0, inheritedDb: Infinity },
    accumulated: { sqnrDb: Infinity, cosine: 1 },
    histogram: histogramOf([0, 0]),
    extremes: { low: 0, high: 0 },
  }
  return {
    ...{ network: 'net', data: 'set', samples: 16 },
    outputs: [{ name: 'y', accumulated: { sqnrDb: 24, cosine: 0.998 } }],
    values: [value('b', 1), value('c', 2, { cause: 'weights', action: undefined }), value('a', 0, nothing)],
    program: {
      ...{ plan: 'ab'.repeat(32), integerGraph: 'cd'.repeat(32), origin: { range: 'mse', samples: 4 } },
      ...{ largestAccumulator: 123456, headroomBits: 9, weightBytes: 30016, constantBytes: 5, arenaBytes: 6 },
      memoryBytes: 131072,
    },
    ...changes,
  }
}

const VOID = new Set(['meta', 'br', 'img'])

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  text: string
}

/** Elements of an HTML document that is written as strictly as XML; throws where it is not. */
function parseStrictly(html: string): Element[] {
  const elements: Element[] = []
  const open: Element[] = []
  const decode = (text: string): string => {
    if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`not escaped: ${text}`)
    return text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&')
  }
  let rest = html.replace(/^<!doctype html>\n/, '')
  if (rest === html) throw new Error('no document type')
  while (rest.trim() !== '') {
    const [whole, text, closing, name, attributes, selfClosing] =
      /^([^<]*)(?:<(\/?)([a-z][a-z0-9]*)((?: [\w-]+="[^"<>]*")*)(\/?)>)?/i.exec(rest) as unknown as string[]
    if (whole === '') throw new Error(`not an element: ${rest.slice(0, 60)}`)
    rest = rest.slice(whole.length)
    const parent = open.at(-1)
    if (parent) parent.text += decode(text)
    if (name === undefined) continue
    if (closing) {
      if (parent?.name !== name) throw new Error(`</${name}> closes <${parent?.name}>`)
      open.pop()
      continue
    }
    const pairs = [...attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key, text]) => [key, decode(text)] as const)
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`an attribute of <${name}> comes twice`)
    const element = { name, attributes: new Map(pairs), text: '' }
    elements.push(element)
    if (!selfClosing && !VOID.has(name)) open.push(element)
  }
  if (open.length > 0) throw new Error(`<${open[0].name}> is never closed`)
  return elements
}

const options = { model: 'model.onnx', version: '1.2.3' }
const named = (elements: readonly Element[], name: string): Element[] =>
  elements.filter((element) => element.name === name)

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
