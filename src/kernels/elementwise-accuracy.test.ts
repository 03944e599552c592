/**
 * How far integer softmax (R13) and curves (R9) are from the real functions, in codes of the output before these are rounded.
 */
import { describe, expect, it } from 'vitest'
import { compact, compare, exponentialTables, type Format, fill, limits, tensor } from './elementwise.fixture.ts'

describe('distance from the real functions, in codes of the output', () => {
  /** Largest distance of the codes from one × probability, before these are rounded, over random logits. */
  function softmaxDistance(format: Format, target: Format, channels: number, scale: number): number {
    const input = tensor(format, 8, 8, channels)
    const output = tensor(target, 8, 8, channels)
    const one = target === 's8' ? 256 : 32768
    const { low, high } = limits(target)
    const stored = fill(input, 7)
    const outputZeroPoint = target === 's8' ? low : 0
    const tables = exponentialTables(scale)
    const codes = compare(
      { kind: 'softmax', name: 'softmax', input, output, ...tables, one, outputZeroPoint, clamp: { low, high } },
      new Map([[input.id, stored]]),
    )
    const logits = Array.from(compact(stored), (code) => code * scale)
    let most = 0
    for (let first = 0; first < codes.length; first += channels) {
      const pixel = logits.slice(first, first + channels)
      const largest = pixel.reduce((a, b) => Math.max(a, b))
      const sum = pixel.reduce((total, logit) => total + Math.exp(logit - largest), 0)
      for (const [c, logit] of pixel.entries()) {
        const exact = Math.min(high - outputZeroPoint, (one * Math.exp(logit - largest)) / sum)
        most = Math.max(most, Math.abs(codes[first + c] - outputZeroPoint - exact))
      }
    }
    return most
  }

  it.each([
    ['s8', 's8', 2, 0.05, 0.51],
    ['s8', 's8', 10, 0.1, 0.51],
    ['s8', 's8', 1000, 0.1, 0.51],
    ['s8', 's16', 10, 0.1, 1.9],
    ['s8', 's16', 1000, 0.1, 1.9],
    ['s16', 's8', 10, 2 ** -11, 0.51],
    ['s16', 's16', 2, 2 ** -13, 1.9],
    ['s16', 's16', 10, 2 ** -11, 1.9],
    ['s16', 's16', 1000, 2 ** -11, 1.9],
  ] as const)('softmax %s → %s of %i channels at scale %f: at most %f', (from, to, channels, scale, most) => {
    const found = softmaxDistance(from, to, channels, scale)
    expect(found).toBeLessThan(most)
  })

  const GELU = Math.sqrt(2 / Math.PI)
  /** The function, the real value of input code 32768, that of the largest output code, and the largest |second derivative|. */
  const FUNCTIONS = {
    sigmoid: [(x: number) => 1 / (1 + Math.exp(-x)), 8, 1, 0.0963],
    tanh: [Math.tanh, 8, 1, 0.77],
    silu: [(x: number) => x / (1 + Math.exp(-x)), 8, 8, 0.5],
    gelu: [(x: number) => 0.5 * x * (1 + Math.tanh(GELU * (x + 0.044715 * x ** 3))), 8, 8, 0.8],
    exp: [(x: number) => Math.exp(x - 8), 8, 1, 1],
  } as const
  it.each(Object.entries(FUNCTIONS))('%s as a curve', (name, [f, reach, outputReach, curvature]) => {
    const input = tensor('s16', 64, 128, 8)
    const stored = fill(input, 0)
    for (let i = 0; i < stored.data.length; i++) stored.data[i] = i - 32768
    for (const format of ['s8', 's16'] as const) {
      const clamp = limits(format)
      const exact = (code: number): number => (f((code * reach) / 32768) / outputReach) * clamp.high
      const knots = Int16Array.from({ length: 513 }, (_, i) => Math.floor(exact(128 * i - 32768) + 0.5))
      const output = tensor(format, 64, 128, 8)
      const codes = compare(
        { kind: 'curve', name, input, output, knots, bits: 7, clamp },
        new Map([[input.id, stored]]),
      )
      // A chord leaves an arc by h²/8 times its curvature; knots and result are rounded by half a code each.
      const most = 1 + (((128 * reach) / 32768) ** 2 / 8) * curvature * (clamp.high / outputReach)
      for (const [i, code] of codes.entries())
        if (Math.abs(code - exact(i - 32768)) > most) expect([name, format, i - 32768, code]).toEqual([])
      if (format === 's16') {
        // And not by much less: the bound says what the curve costs.
        const distances = Array.from(codes, (code, i) => Math.abs(code - exact(i - 32768)))
        expect(distances.reduce((a, b) => Math.max(a, b))).toBeGreaterThan(0.7 * (most - 1))
      }
    }
  })
})
