import { describe, expect, it } from 'vitest'
import { readNpy } from '../data/npy.ts'
import { writeNpy } from './npy-file.ts'

describe('writeNpy', () => {
  it.each([
    [Uint8Array.of(0, 255, 7), [3]],
    [Int8Array.of(-128, 127), [1, 2]],
    [Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [2, 1, 1]],
    [Float32Array.of(0.1, -0, Infinity, 1e-40), [2, 2]],
    [Float32Array.of(1), []],
  ])('of %j is read back', (data, shape) => {
    const bytes = writeNpy(data, shape)
    const dataStart = bytes.length - data.byteLength
    expect([dataStart % 64, bytes[dataStart - 1]]).toEqual([0, 0x0a])
    expect(readNpy(bytes, 'x.npy')).toEqual({ shape, data })
  })
})
