/** Curves as they are lowered (R9): how long their pieces are, and how far all 65,536 codes lie from the function. */
import { describe, expect, it } from 'vitest'
import { loadGraph, runNetwork } from '../program/program.fixture.ts'
import { formatRange, type Plan, type TensorPlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { type Line, net } from '../reference/fast/net.fixture.ts'
import type { CurveInstruction } from './integer-graph.ts'
import { lower } from './lower.ts'

const one = (operator: string): Line[] => [{ operator, inputs: ['x'] }]
const SWISH: Line[] = [...one('Sigmoid'), { operator: 'Mul', inputs: ['x', 'v0'] }]
const swish = (x: number): number => x / (1 + Math.exp(-x))

/** A network of one function on every code of an s16 input that reaches ±`reach`: its curve, and the largest distance in codes. */
function worst(lines: Line[], f: (x: number) => number, reach: number, target: TensorPlan) {
  const scale = reach / 32768
  const plan: Plan = {
    ...{ schema: 1, kind: 'dyadic-plan', model: 'curve', origin: {} },
    inputs: { x: { format: 's16', scale: [scale], zeroPoint: [0], layout: 'nchw' } },
    tensors: { [`v${lines.length - 1}`]: target },
    weights: {},
  }
  const graph = lower(prepare(net({ x: [1, 1, 256, 256] }, lines)).compiled, plan)
  const curve = graph.instructions.find((one): one is CurveInstruction => one.kind === 'curve')
  const codes = Int16Array.from({ length: 65536 }, (_, index) => index - 32768)
  const [found] = runNetwork(loadGraph(graph), new Map([['x', codes]])).values()
  const { low, high } = formatRange(target.format)
  const distances = Array.from(codes, (code, index) => {
    const exact = Math.min(high, Math.max(low, f(code * scale) / target.scale + target.zeroPoint))
    return Math.abs((found?.[index] as number) - exact)
  })
  return {
    bits: curve?.bits,
    unitBits: curve?.unitBits,
    range: curve?.output.range,
    distance: distances.reduce((a, b) => Math.max(a, b)),
  }
}

const s16 = (reach: number): TensorPlan => ({ format: 's16', scale: reach / 32767, zeroPoint: 0 })

describe('curves take the longest pieces that are near enough', () => {
  it.each<[string, Line[], (x: number) => number, number, TensorPlan, number, 1 | undefined]>([
    ['swish whose output fits', SWISH, swish, 8, s16(8), 7, undefined],
    ['swish whose output is limited', SWISH, swish, 12, s16(8.5), 7, 1],
    ['swish that is limited early', SWISH, swish, 40, s16(1), 4, 1],
    ['swish in 8 bits, limited', SWISH, swish, 12, { format: 'u8', scale: 8 / 255, zeroPoint: 9 }, 7, undefined],
    ['sigmoid', one('Sigmoid'), (x) => 1 / (1 + Math.exp(-x)), 12, s16(1), 7, undefined],
    ['tanh', one('Tanh'), Math.tanh, 12, s16(1), 6, undefined],
    ['exp that leaves its output', one('Exp'), Math.exp, 8, s16(50), 6, 1],
  ])('%s', (_, lines, f, reach, target, bits, unitBits) => {
    const found = worst(lines, f, reach, target)
    expect({ bits: found.bits, unitBits: found.unitBits }).toEqual({ bits, unitBits })
    // Two codes for the chord, half a code for the result, and half a unit for the knots; float32 knows the reals to 2^-24.
    expect(found.distance).toBeLessThan(2 + 0.5 + 0.5 * (unitBits === 1 ? 2 : 1) + 0.01)
  })

  it('stay inside the codes of the output, whatever their knots hold', () => {
    const { range } = worst(SWISH, swish, 12, s16(8.5))
    expect(range?.high).toBe(32767)
    expect(range?.low).toBeLessThan(-1000)
  })
})
