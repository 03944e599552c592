import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drawGlyph, GLYPH_SIZE, glyphLabel, glyphNames, openGlyphs } from './glyphs.ts'
import { GLYPH_SHAPES } from './glyphs-shapes.ts'

const example = (name: string) => readFileSync(new URL(`../../examples/glyphs/${name}`, import.meta.url))

describe('GLYPH_SHAPES', () => {
  it.each(GLYPH_SHAPES.map((shape) => [shape.name, shape] as const))('%s is well formed', (_name, shape) => {
    for (const [x, y] of shape.points) {
      expect(Number.isInteger(x) && Math.abs(x) <= 8).toBe(true)
      expect(Number.isInteger(y) && Math.abs(y) <= 12).toBe(true)
    }
    for (const { kind, points } of shape.strokes) {
      expect(points.length).toBeGreaterThanOrEqual(2)
      if (kind === 'curve') expect(points.length % 2).toBe(1)
      for (const point of points) expect(shape.points[point]).toBeDefined()
    }
    expect(new Set(shape.strokes.flatMap((stroke) => stroke.points)).size).toBe(shape.points.length)
    // The drawing's share of the random stream is counted for at most 15 points.
    expect(shape.points.length).toBeLessThanOrEqual(15)
  })

  it('has 16 different names', () => {
    expect(glyphNames).toHaveLength(16)
    expect(new Set(glyphNames).size).toBe(16)
  })
})

describe('drawGlyph', () => {
  it('draws the same first 100 pictures everywhere', () => {
    const hash = createHash('sha256')
    for (let index = 0; index < 100; index++) {
      const { pixels, label } = drawGlyph(1, index)
      hash.update(pixels).update(Uint8Array.of(label))
    }
    expect(hash.digest('hex')).toBe('080c6bc21aae4cfc6c552a030a583e308b133f69144dedcbc8e3ec6eca73e9ea')
  })

  it('depends on the seed and on the index', () => {
    expect(drawGlyph(1, 5)).toEqual(drawGlyph(1, 5))
    expect(drawGlyph(1, 5).pixels).not.toEqual(drawGlyph(2, 5).pixels)
    expect(drawGlyph(1, 5).pixels).not.toEqual(drawGlyph(1, 6).pixels)
  })

  it('uses all classes about equally and the whole range of greys', () => {
    const labels = new Array<number>(16).fill(0)
    const greys = new Set<number>()
    for (let index = 0; index < 1600; index++) {
      const { pixels, label } = drawGlyph(3, index)
      labels[label]!++
      for (const grey of pixels) greys.add(grey)
      expect(glyphLabel(3, index)).toBe(label)
    }
    // Expectation 100, standard deviation 9.7.
    expect(Math.min(...labels)).toBeGreaterThan(50)
    expect(greys.size).toBe(256)
  })

  it.each([-1, 0.5, Number.NaN])('refuses %d as seed or index', (wrong) => {
    expect(() => drawGlyph(wrong, 0)).toThrow(/random seed/)
    expect(() => drawGlyph(0, wrong)).toThrow(/random stream/)
  })
})

describe('openGlyphs', () => {
  it('reads the pictures from `first` on', async () => {
    const set = openGlyphs({ seed: 4, first: 1000, count: 3 })
    expect(set).toMatchObject({
      name: 'glyphs',
      length: 3,
      elementType: 'uint8',
      shape: [1, GLYPH_SIZE, GLYPH_SIZE],
      scale: [1 / 255],
      offset: [0],
    })
    expect(await set.read(2)).toEqual(drawGlyph(4, 1002).pixels)
    expect(set.label(2)).toBe(drawGlyph(4, 1002).label)
    expect(set.describe(2)).toBe('glyph 1002 of seed 4')
  })

  it('refuses samples outside of the set', async () => {
    const set = openGlyphs({ seed: 4, first: 1000, count: 3 })
    await expect(set.read(3)).rejects.toThrow(/samples 0\.\.2/)
    expect(() => set.label(-1)).toThrow(/samples 0\.\.2/)
  })

  it.each([
    [{ seed: -1, first: 0, count: 1 }, /seed is -1/],
    [{ seed: 0, first: 0.5, count: 1 }, /first is 0\.5/],
    [{ seed: 0, first: 0, count: 0 }, /count is 0/],
    [{ seed: 0, first: Number.MAX_SAFE_INTEGER, count: 2 }, /last index/],
  ])('refuses %j', (options, message) => {
    expect(() => openGlyphs(options)).toThrow(message)
  })
})

describe('examples/glyphs', () => {
  const samples = (name: string) =>
    (JSON.parse(example(name).toString()) as { samples: { seed: number; first: number; count: number } }).samples

  it('calibrates and evaluates on pictures that were not trained on', () => {
    const calibrate = samples('glyphs.calibrate.card.json')
    const evaluate = samples('glyphs.card.json')
    expect(calibrate).toMatchObject({ seed: 1, first: 100000, count: 256 })
    expect(evaluate).toMatchObject({ seed: 1, first: 200000, count: 1000 })
    // The recipe trains on seed 1, 0..59999.
    for (const line of ['dump.mjs 1 0 60000 ', 'dump.mjs 1 1000000 1000000 '])
      expect(example('recipe/README.md').toString()).toContain(line)
  })

  it.each(['glyphs.onnx', 'glyphs-transformer.onnx'])('records the hash of %s', (file) => {
    const hash = createHash('sha256').update(example(file)).digest('hex')
    expect(example('README.md').toString()).toContain(hash)
  })
})
