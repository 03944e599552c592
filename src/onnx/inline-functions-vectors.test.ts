/**
 * Files with functions of their own against what ONNX Runtime gave for them (test/vectors/functions.json): exports of PyTorch
 * with every module as a function, and each rule of functions by itself.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createReferenceExecutor } from '../reference/run.ts'
import { parseOnnx } from './index.ts'

interface Case {
  readonly name: string
  readonly model: string
  readonly inputs: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, string>>
}

const { cases } = JSON.parse(readFileSync(new URL('../../test/vectors/functions.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'))
const floats = (base64: string): Float32Array => new Float32Array(bytes(base64).buffer)

describe('functions of the model', () => {
  it.each(cases)('$name: the result of ONNX Runtime', ({ model, inputs, outputs }) => {
    const graph = parseOnnx(bytes(model))
    const given = new Map(Object.entries(inputs).map(([name, text]) => [name, floats(text)]))
    const found = createReferenceExecutor(graph).run(given)
    expect([...found.keys()]).toEqual(Object.keys(outputs))
    for (const [name, text] of Object.entries(outputs)) {
      const expected = floats(text)
      const result = found.get(name) as Float32Array
      expect(result.length).toBe(expected.length)
      const norm = Math.max(...expected.map(Math.abs))
      const apart = Math.max(...expected.map((value, index) => Math.abs(value - (result[index] as number))))
      expect(apart).toBeLessThanOrEqual(2e-6 * norm)
    }
  })
})
