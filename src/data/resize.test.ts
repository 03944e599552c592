import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { centreCrop, greyOf, preprocess, scaledSize } from './preprocess.ts'
import { type Picture, resizeBilinear } from './resize.ts'

interface Case {
  from: [number, number]
  to: [number, number]
  channels: number
  pattern: 'noise' | 'edges' | 'white'
  seed: number
  sha256: string
}

const vectors = JSON.parse(readFileSync(new URL('../../test/vectors/resize.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

/** The pictures of test/vectors/resize.py. */
function draw({ from: [width, height], channels, pattern, seed }: Case): Picture {
  const data = new Uint8Array(width * height * channels)
  let x = seed
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0
    const byte = x >>> 24
    data[i] = pattern === 'noise' ? byte : pattern === 'white' || byte >= 128 ? 255 : 0
  }
  return { width, height, channels, data }
}

const ramp = (width: number, height: number, channels: number): Picture => ({
  width,
  height,
  channels,
  data: Uint8Array.from({ length: width * height * channels }, (_, i) => i & 255),
})

describe('resizeBilinear', () => {
  it('equals Pillow in every pixel', () => {
    expect(vectors.cases.length).toBeGreaterThan(100)
    const wrong = vectors.cases.filter((entry) => {
      const { data, width, height } = resizeBilinear(draw(entry), ...entry.to)
      expect([width, height]).toEqual(entry.to)
      return createHash('sha256').update(data).digest('hex') !== entry.sha256
    })
    expect(wrong).toEqual([])
  })

  it('keeps a flat picture flat, at any size', () => {
    const size = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(size, size, size, size, fc.integer({ min: 0, max: 255 }), (width, height, wide, high, value) => {
        const flat = { width, height, channels: 1, data: new Uint8Array(width * height).fill(value) }
        return resizeBilinear(flat, wide, high).data.every((pixel) => pixel === value)
      }),
    )
  })

  it('treats the channels of a pixel alike and apart', () => {
    const colour = ramp(13, 7, 3)
    const out = resizeBilinear(colour, 5, 9)
    for (const c of [0, 1, 2]) {
      const plane = { ...colour, channels: 1, data: colour.data.filter((_, i) => i % 3 === c) }
      expect(resizeBilinear(plane, 5, 9).data).toEqual(out.data.filter((_, i) => i % 3 === c))
    }
  })

  it('returns the same picture for the same size', () => {
    const picture = ramp(4, 3, 3)
    expect(resizeBilinear(picture, 4, 3)).toBe(picture)
  })

  it.each([
    [0, 1],
    [1, 0],
    [1.5, 1],
    [65536, 1],
    [Number.NaN, 1],
  ])('refuses the size %d × %d', (width, height) => {
    expect(() => resizeBilinear(ramp(2, 2, 1), width, height)).toThrow(DyadicError)
  })

  it('refuses data that do not fit the size', () => {
    expect(() => resizeBilinear({ width: 2, height: 2, channels: 3, data: new Uint8Array(11) }, 1, 1)).toThrow(
      /11 bytes/,
    )
  })
})

describe('preprocess', () => {
  it('rounds the longer side to nearest', () => {
    expect(scaledSize(500, 375, 256)).toEqual({ width: 341, height: 256 })
    expect(scaledSize(333, 500, 256)).toEqual({ width: 256, height: 384 })
    expect(scaledSize(500, 334, 256)).toEqual({ width: 383, height: 256 })
    expect(scaledSize(3, 2, 1)).toEqual({ width: 2, height: 1 })
    expect(scaledSize(7, 7, 5)).toEqual({ width: 5, height: 5 })
  })

  it('crops from floor((size − crop) / 2)', () => {
    const picture = { width: 5, height: 4, channels: 1, data: Uint8Array.from({ length: 20 }, (_, i) => i) }
    expect([...centreCrop(picture, 3, 2).data]).toEqual([1, 2, 6, 7, 11, 12])
    expect(() => centreCrop(picture, 5, 5)).toThrow(/crop of 5 × 5/)
  })

  it('lays out channels as asked', () => {
    const picture = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
    const crop: [number, number] = [1, 2]
    expect([...preprocess(picture, { crop, channels: 'rgb' })]).toEqual([1, 4, 2, 5, 3, 6])
    expect([...preprocess(picture, { crop, channels: 'bgr' })]).toEqual([3, 6, 2, 5, 1, 4])
    expect([...preprocess(picture, { crop, channels: 'rgb', layout: 'hwc' })]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...preprocess(picture, { crop, channels: 'gray' })]).toEqual([2, 5])
  })

  it('keeps grey pixels as they are', () => {
    const data = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
    expect([...greyOf({ width: 256, height: 1, channels: 3, data }).data]).toEqual([...Array(256).keys()])
  })
})
