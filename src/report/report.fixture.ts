/** What tests of reports share: hostile names, a made-up comparison, and a parser that takes nothing but strict markup. */
import type { Comparison, ValueLoss } from '../compare/comparison.ts'
import { type Histogram, streamingHistogram } from '../quantize/histogram.ts'

/** Names as nobody should give them: markup, quotes, terminal controls, marks that turn text around, lone surrogates. */
export const hostile = [
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

export const histogramOf = (values: readonly number[]): Histogram => {
  const histogram = streamingHistogram()
  histogram.observe(values)
  return histogram.read()
}

export function value(name: string, position: number, changes: Partial<ValueLoss> = {}): ValueLoss {
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
    weights: {
      ...{ format: 's8', count: 1234, sqnrDb: 44, steps: { low: 0.0625, high: 0.5 } },
      histogram: histogramOf([-0.5, 0.25, 0.5]),
    },
    trials: [{ kind: 'range-mse', sqnrDb: 30, gainDb: -1.25 }, trial],
    action: trial,
    expectedDb: 26.5,
    ...changes,
  } as ValueLoss
}

export function comparison(changes: Partial<Comparison> = {}): Comparison {
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

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  text: string
}

/** Elements of an HTML document that is written as strictly as XML; throws where it is not. */
export function parseStrictly(html: string): Element[] {
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

export const named = (elements: readonly Element[], name: string): Element[] =>
  elements.filter((element) => element.name === name)
