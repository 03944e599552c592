import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../graph/graph.ts'
import { type Line, net, noise, relativeError, TOLERANCE, worstError } from './fast/net.fixture.ts'
import { createFastExecutor } from './fast.ts'
import { createReferenceExecutor } from './run.ts'

describe('executor', () => {
  const block: Line[] = [
    { operator: 'dyadic.Conv', inputs: ['x', { shape: [6, 3, 3, 3] }], attributes: convolutionAttributes(1, 1) },
    { operator: 'dyadic.Conv', inputs: ['v0', { shape: [6, 1, 3, 3] }], attributes: convolutionAttributes(6, 1) },
    {
      operator: 'dyadic.Conv',
      inputs: ['v1', { shape: [6, 6, 1, 1] }, { shape: [6] }, 'v0'],
      attributes: convolutionAttributes(1, 0),
    },
    { operator: 'MaxPool', inputs: ['v2'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    { operator: 'Flatten', inputs: ['v3'] },
    { operator: 'dyadic.Dense', inputs: ['v4', { shape: [10, 96] }] },
  ]

  function convolutionAttributes(group: number, pad: number): Record<string, AttributeValue> {
    const side = 2 * pad + 1
    const window = { kernel_shape: [side, side], strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] }
    return { ...window, group, low: 0 }
  }

  it('taps every value with all its elements', () => {
    const graph = net({ x: [1, 3, 8, 8] }, block)
    const inputs = new Map([['x', Float32Array.from(noise(192, 5))]])
    const expected = new Map<string, number[]>()
    createReferenceExecutor(graph).run(inputs, (name, values) => expected.set(name, Array.from(values).sort()))
    const found = new Map<string, number[]>()
    createFastExecutor(graph).run(inputs, (name, values) => found.set(name, Array.from(values).sort()))
    expect([...found.keys()]).toEqual([...expected.keys()])
    for (const [name, values] of expected)
      expect(relativeError(Float32Array.from(found.get(name) ?? []), Float32Array.from(values))).toBeLessThan(TOLERANCE)
  })

  it('gives the same bytes on every run and for every tap', () => {
    const graph = net({ x: [2, 3, 8, 8] }, block)
    const executor = createFastExecutor(graph)
    const inputs = new Map([['x', Float32Array.from(noise(384, 5))]])
    const first = executor.run(inputs).get('v5')
    executor.run(new Map([['x', new Float32Array(384).fill(Number.NaN)]]))
    expect(executor.run(inputs, () => {}).get('v5')).toEqual(first)
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('refuses missing, unknown and misshapen inputs by name', () => {
    const executor = createFastExecutor(net({ x: [1, 3, 8, 8] }, block))
    const good = new Float32Array(192)
    expect(() => executor.run(new Map())).toThrow(/no value is given for input "x"/)
    expect(() => executor.run(new Map([['x', new Float32Array(3)]]))).toThrow(/has 3 elements/)
    expect(() =>
      executor.run(
        new Map([
          ['x', good],
          ['z', good],
        ]),
      ),
    ).toThrow(/no input "z"/)
  })
})
