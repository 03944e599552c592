import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { parsePlan } from './plan.ts'

const EMPTY = { schema: 1, kind: 'dyadic-plan', model: 'm', inputs: {}, tensors: {}, weights: {} }
const message = (json: unknown): string => {
  try {
    parsePlan(json, 'a plan')
  } catch (error) {
    if (error instanceof DyadicError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a plan from a file', () => {
  it('cannot steer the terminal by its keys', () => {
    const name = '\u001b[2J\u202egpj.exe\u009b1m'
    const text = message({ ...EMPTY, tensors: { [name]: { format: 'u8', scale: -1, zeroPoint: 0 } } })
    expect(text).toContain('\\u{1b}[2J\\u{202e}gpj.exe\\u{9b}1m')
    for (const character of name.replace(/[ -~]/g, '')) expect(text).not.toContain(character)
  })

  it('has indices as inputs with scale 1 only, and a known family', () => {
    const ids = { format: 's32', scale: [1], zeroPoint: [0] }
    expect(parsePlan({ ...EMPTY, inputs: { ids } }, 'a plan').inputs.ids).toMatchObject(ids)
    expect(message({ ...EMPTY, inputs: { ids: { ...ids, scale: [0.5] } } })).toMatch(/s32 inputs have scale \[1\]/)
    expect(parsePlan({ ...EMPTY, nonlinear: 'poly' }, 'a plan').nonlinear).toBe('poly')
    expect(message({ ...EMPTY, nonlinear: 'magic' })).toMatch(
      /nonlinear: .*"default"\|"shift"\|"shift-deployment"\|"poly"/,
    )
  })
})
