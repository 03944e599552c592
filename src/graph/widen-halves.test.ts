import { describe, expect, it } from 'vitest'
import { runReference } from '../reference/run.ts'
import { inferGraph } from './infer.ts'
import { type Constant, type ElementType, makeConstant } from './tensor.ts'
import { widenHalves } from './widen-halves.ts'

/** half(x) + c, back to float32, with x a run-time input and c a half-precision constant. */
function sketch(half: ElementType, number: number) {
  const node = (name: string, operator: string, inputs: string[], attributes: [string, number][] = []) => ({
    name,
    operator,
    inputs,
    outputs: [name],
    attributes: new Map(attributes),
  })
  return inferGraph({
    name: 'g',
    opset: 21,
    inputs: [{ name: 'x', type: 'float32', shape: [1] }],
    outputs: ['y'],
    constants: new Map<string, Constant>([['c', makeConstant(half, [1], [0.5])]]),
    nodes: [
      node('narrow', 'Cast', ['x'], [['to', number]]),
      node('sum', 'Add', ['narrow', 'c']),
      node('y', 'Cast', ['sum'], [['to', 1]]),
    ],
  })
}

describe('half precision', () => {
  const run = (graph: ReturnType<typeof sketch>, x: number): number =>
    Number(
      runReference(graph, new Map([['x', { type: 'float32', shape: [1], data: Float32Array.of(x) }]])).get('y')
        ?.data[0],
    )

  it.each([
    ['float16', 10, 2048.5],
    ['bfloat16', 16, 256.5],
  ] as const)('%s is kept where it is asked for, and every result is rounded to it', (type, number, exact) => {
    const graph = sketch(type, number)
    expect(graph.values.get('sum')?.type).toBe(type)
    // The integer is representable, half more is not: the tie goes to the even neighbour, below.
    expect(run(graph, exact - 0.5)).toBe(exact - 0.5)
  })

  it.each([
    ['float16', 10],
    ['bfloat16', 16],
  ] as const)('%s becomes float32 in values and constants, and casts become identities', (type, number) => {
    const graph = widenHalves(sketch(type, number))
    expect(new Set([...graph.values.values()].map((value) => value.type))).toEqual(new Set(['float32']))
    expect(graph.constants.get('c')?.type).toBe('float32')
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['Identity', 'Add', 'Identity'])
    expect(run(graph, 2048)).toBe(2048.5)
  })

  it('leaves a graph without halves alone', () => {
    const graph = widenHalves(sketch('float16', 10))
    expect(widenHalves(graph)).toBe(graph)
  })
})
