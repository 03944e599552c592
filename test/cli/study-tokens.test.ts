/** `dyadic study` on a language model as a shell runs it: a table of what follows each token, so that figures are known. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { floatTensor, floatValue, model, node } from '../../src/onnx/small-model.fixture.ts'
import { encodeModel } from '../../src/onnx/write-wire.ts'
import { dyadic } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-study-tokens-'))
afterAll(() => rmSync(folder, { recursive: true }))

const INT64 = 7
/** The scores after a token are a row of `rows`, times the identity. */
const rows = [0, 3, 0, 0, 0, 1, 2, 0, 0]
const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]

beforeAll(() => {
  const graph = {
    name: 'tokens',
    node: [node('Gather', ['rows', 'ids'], ['found']), node('MatMul', ['found', 'identity'], ['logits'])],
    initializer: [floatTensor('rows', [3, 3], rows), floatTensor('identity', [3, 3], identity)],
    input: [floatValue('ids', [1, 'T'], INT64)],
    output: [floatValue('logits', [1, 'T', 3])],
  }
  writeFileSync(join(folder, 'model.onnx'), encodeModel(model(graph)))
  // After 0 comes 1, after 1 comes 2, after 2 comes 0; once 0 after 1.
  writeFileSync(join(folder, 'ids.json'), JSON.stringify([[0, 1, 2, 0, 1, 0], [1]]))
  const card = (window: number, rest: object): string =>
    JSON.stringify({ schema: 1, name: 'walk', samples: { kind: 'tokens', file: 'ids.json', window, ...rest } })
  writeFileSync(join(folder, 'data.json'), card(4, { pad: 2 }))
  writeFileSync(join(folder, 'short.json'), card(3, {}))
})

const study = (...words: string[]) => dyadic(folder, ['study', 'model.onnx', '--axis', 'T=4', ...words])

describe('dyadic study on tokens', () => {
  it('counts every answer that there is, and its likelihood', async () => {
    const words = ['--data', 'data.json', '--for', 'weights', '--formats', 'int8', '--metric', 'nll', '--json']
    const { stdout, code, stderr } = await study(...words)
    expect(stderr).toContain('read samples: 2')
    expect(code).toBe(0)
    const { rows: found, data } = JSON.parse(stdout)
    expect(data).toEqual({ name: 'walk', samples: 2 })
    const float = found.find(({ name }: { name: string }) => name === 'float32')
    expect(float.score).toMatchObject({ total: 5, correct: 4 })
    const after = [Math.log(Math.exp(3) + 2) - 3, Math.log(Math.E + 2) - 1, Math.log(Math.exp(2) + 2) - 2]
    const wrong = Math.log(Math.E + 2)
    expect(float.score.nll).toBeCloseTo((2 * after[0]! + after[1]! + after[2]! + wrong) / 5, 6)
    expect(found.find(({ name }: { name: string }) => name === 'weights int8').score.agreement).toBe(1)
  })

  it('refuses windows of another length and formats of ids', async () => {
    const short = await study('--data', 'short.json', '--for', 'weights', '--formats', 'int8')
    expect([short.code, short.stderr]).toEqual([1, expect.stringMatching(/"walk" has windows of 3 tokens.*\[1,4\]/)])
    const inputs = await study('--data', 'data.json', '--for', 'inputs', '--formats', 'bfloat16')
    expect([inputs.code, inputs.stderr]).toEqual([2, expect.stringMatching(/"ids" holds integers/)])
  })
})
