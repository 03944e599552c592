import { describe, expect, it } from 'vitest'
import { inferGraph } from '../graph/infer.ts'
import type { Plan } from './plan.ts'
import { checkPlanNames } from './plan-names.ts'

const graph = inferGraph({
  name: 'g',
  opset: 13,
  inputs: [{ name: 'image', type: 'float32', shape: [1, 4] }],
  outputs: ['scores'],
  nodes: [
    { name: 'n1', operator: 'Relu', inputs: ['image'], outputs: ['stem.relu'], attributes: new Map() },
    { name: 'n2', operator: 'Neg', inputs: ['stem.relu'], outputs: ['scores'], attributes: new Map() },
  ],
  constants: new Map(),
})

const entry = { format: 'u8', scale: 1, zeroPoint: 0 } as const
const plan = (tensors: readonly string[], weights: readonly string[] = []): Plan => ({
  schema: 1,
  kind: 'dyadic-plan',
  model: 'g',
  origin: {},
  inputs: {},
  tensors: Object.fromEntries(tensors.map((name) => [name, entry])),
  weights: Object.fromEntries(weights.map((name) => [name, { format: 's8', scale: [1], zeroPoint: [0] }])),
})
const message = (given: Plan): string => {
  try {
    checkPlanNames(graph, given)
  } catch (error) {
    return String(error)
  }
  return ''
}

describe('checkPlanNames', () => {
  it('takes names of the graph', () => {
    expect(message(plan(['image', 'stem.relu', 'scores'], ['scores']))).toBe('')
  })

  it('names what is wrong and what may be meant', () => {
    expect(message(plan(['stem.rellu']))).toContain('tensors "stem.rellu", where "stem.relu" may be meant')
    expect(message(plan([], ['score']))).toContain('weights "score", where "scores" may be meant')
    expect(message(plan([], ['image']))).toContain('weights "image";')
    expect(message(plan(['something else']))).toMatch(/tensors "something else";/)
  })

  it('counts what it does not list', () => {
    expect(message(plan(Array.from({ length: 1000 }, (_, i) => `unknown ${i}`)))).toContain('; and 994 more')
  })
})
