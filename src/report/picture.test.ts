import { describe, expect, it } from 'vitest'
import { pictureOf } from './picture.ts'

const view = (
  uri: string | undefined,
): { width: number; height: number; pixel: (x: number, y: number) => number[] } => {
  const file = Buffer.from((uri ?? '').replace('data:image/bmp;base64,', ''), 'base64')
  const [start, width, height] = [file.readUInt32LE(10), file.readInt32LE(18), file.readInt32LE(22)]
  expect(file.toString('latin1', 0, 2)).toBe('BM')
  expect(file.readUInt32LE(2)).toBe(file.length)
  const pitch = Math.ceil((width * 3) / 4) * 4
  expect(file.length).toBe(start + pitch * height)
  const pixel = (x: number, y: number): number[] => {
    const at = start + pitch * (height - 1 - y) + 3 * x
    return [file[at + 2], file[at + 1], file[at]]
  }
  return { width, height, pixel }
}

describe('pictureOf', () => {
  it('keeps grey and colour where they are', () => {
    const grey = view(
      pictureOf(
        Uint8Array.from({ length: 8 * 9 }, (_, i) => i),
        [1, 8, 9],
      ),
    )
    expect([grey.width, grey.height, grey.pixel(0, 0), grey.pixel(8, 7)]).toEqual([9, 8, [0, 0, 0], [71, 71, 71]])
    const planes = Uint8Array.from({ length: 3 * 64 }, (_, i) => i)
    expect(view(pictureOf(planes, [3, 8, 8])).pixel(1, 2)).toEqual([17, 64 + 17, 128 + 17])
    expect(view(pictureOf(new Int8Array(64).fill(-128), [8, 8])).pixel(3, 3)).toEqual([0, 0, 0])
  })

  it('stretches reals and thins out what is large', () => {
    const reals = Float32Array.from({ length: 64 }, (_, i) => i - 10)
    const stretched = view(pictureOf(reals, [1, 8, 8]))
    expect([stretched.pixel(0, 0)[0], stretched.pixel(7, 7)[0]]).toEqual([0, 255])
    expect(view(pictureOf(new Float32Array(64), [1, 8, 8])).pixel(4, 4)).toEqual([0, 0, 0])
    const large = view(pictureOf(new Uint8Array(3 * 224 * 300), [3, 224, 300]))
    expect([large.width, large.height]).toEqual([100, 75])
  })

  it('leaves alone what is no picture', () => {
    for (const shape of [[10], [2, 16, 16], [1, 4, 100], [1, 1, 28, 28]])
      expect(pictureOf(new Uint8Array(2800), shape)).toBeUndefined()
  })
})
