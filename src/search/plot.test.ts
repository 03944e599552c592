import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlotPoint, plotFront } from './plot.ts'

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly text: string
}

/** Elements of an XML document in the order they end; throws where it is not well-formed. */
function parseXml(document: string): Element[] {
  const done: Element[] = []
  const open: { name: string; attributes: Map<string, string>; text: string }[] = []
  const decode = (text: string): string => {
    if (/&(?!(?:amp|lt|gt|quot);)|</.test(text)) throw new Error(`not escaped: ${text}`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what XML 1.0 forbids
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text))
      throw new Error('a character XML does not have')
    return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
  }
  let rest = document.trimEnd()
  while (rest !== '') {
    const [whole, text, closing, name, attributes, selfClosing] =
      /^([^<]*)(?:<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>)?/i.exec(rest) as unknown as string[]
    if (whole === '' || (done.length > 0 && open.length === 0)) throw new Error(`unexpected: ${rest.slice(0, 40)}`)
    rest = rest.slice(whole.length)
    const parent = open.at(-1)
    if (parent) parent.text += decode(text)
    else if (text !== '') throw new Error(`text outside the root: ${text}`)
    if (name === undefined) continue
    if (closing) {
      if (parent?.name !== name) throw new Error(`</${name}> closes <${parent?.name}>`)
      done.push(open.pop() as Element)
      continue
    }
    const pairs = [...attributes.matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(
      ([, key, value]) => [key, decode(value)] as const,
    )
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`an attribute of <${name}> comes twice`)
    const element = { name, attributes: new Map(pairs), text: '' }
    if (selfClosing) done.push(element)
    else open.push(element)
  }
  if (open.length > 0) throw new Error(`<${open[0].name}> is never closed`)
  return done
}

const options = { title: 'Ω against size', xLabel: 'bytes', yLabel: 'Ω' }
const points: PlotPoint[] = [
  { x: 5.3e6, y: 1.31, label: 'all 4' },
  { x: 6.6e6, y: 0.118 },
  { x: 10.6e6, y: 0.004, label: 'all 8' },
]

describe('the checker of this test', () => {
  it.each(['<svg>', '<svg></a>', '<svg a="1" a="2"/>', '<svg>&</svg>', '<svg/><svg/>', '<svg>\u0001</svg>', 'x<svg/>'])(
    'refuses %j',
    (text) => {
      expect(() => parseXml(text)).toThrow()
    },
  )
})

describe('plotFront', () => {
  it('is one well-formed picture with a title, a description, axes, ticks and all points', () => {
    const elements = parseXml(plotFront(points, options))
    const root = elements.at(-1) as Element
    expect([root.name, root.attributes.get('role'), root.attributes.get('xmlns')]).toEqual([
      'svg',
      'img',
      'http://www.w3.org/2000/svg',
    ])
    const byId = (id: string) => elements.find(({ attributes }) => attributes.get('id') === id)?.text
    const [title, description] = (root.attributes.get('aria-labelledby') ?? '').split(' ').map(byId)
    expect(title).toBe('Ω against size')
    expect(description).toBe('3 points: bytes from 5300000 to 10600000, Ω from 1.31 to 0.004.')
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text)
    expect(texts).toEqual(
      expect.arrayContaining(['bytes', 'Ω', 'all 4', 'all 8', '6000000', '10000000', '0', '0.5', '1.5']),
    )
    expect(elements.filter(({ name }) => name === 'circle')).toHaveLength(3)
  })

  it('draws a marked point larger and in another colour', () => {
    const circles = (list: readonly PlotPoint[]): string[] =>
      parseXml(plotFront(list, options))
        .filter(({ name }) => name === 'circle')
        .map(({ attributes }) => `${attributes.get('r')} ${attributes.get('fill')}`)
    const plain = circles(points)
    const [first, ...others] = circles([{ ...points[0], marked: true }, ...points.slice(1)])
    expect(new Set(plain)).toEqual(new Set([plain[0]]))
    expect([Number.parseInt(first, 10) > Number.parseInt(plain[0], 10), others]).toEqual([true, plain.slice(1)])
  })

  it('loads nothing and runs nothing', () => {
    const text = plotFront(points, options).replace('xmlns="http://www.w3.org/2000/svg"', '')
    expect(text).not.toMatch(/https?:|url\(|<script|<style|<image|<use|href|\son\w+=/)
  })

  it('puts larger x to the right and larger y up, within the axes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            x: fc.double({ min: -1e15, max: 1e15, noNaN: true }),
            y: fc.double({ min: -1e-3, max: 1e3, noNaN: true }),
          }),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        (cloud) => {
          const circles = parseXml(plotFront(cloud, options)).filter(({ name }) => name === 'circle')
          const sorted = cloud.toSorted((a, b) => a.x - b.x || a.y - b.y)
          const at = circles.map(({ attributes }) => [Number(attributes.get('cx')), Number(attributes.get('cy'))])
          for (const [i, [x, y]] of at.entries()) {
            expect(x >= 84 && x <= 616 && y >= 40 && y <= 348).toBe(true)
            if (i > 0) {
              expect(x).toBeGreaterThanOrEqual(at[i - 1][0])
              if (sorted[i].y > sorted[i - 1].y) expect(y).toBeLessThanOrEqual(at[i - 1][1])
            }
          }
        },
      ),
    )
  })

  it('stays well-formed whatever names say, and is deterministic', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const draw = () => plotFront([{ x: 1, y: 2, label: name, detail: name }], { ...options, title: name })
        expect(draw()).toBe(draw())
        parseXml(draw())
      }),
    )
    const hostile = '</title><script>alert(1)</script>\u0000\ud800"&'
    expect(
      parseXml(plotFront([{ x: 0, y: 0 }], { ...options, title: hostile })).some(({ name }) => name === 'script'),
    ).toBe(false)
  })

  it('refuses no points, infinities and a size without room', () => {
    expect(() => plotFront([], options)).toThrow(/at least one point/)
    expect(() => plotFront([{ x: 1, y: Infinity }], options)).toThrow(/finite/)
    expect(() => plotFront(points, { ...options, width: 100 })).toThrow(/no room/)
  })
})
