import { describe, expect, it } from 'vitest'
import { prepare } from '../quantize/prepare.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { parseOnnx } from './index.ts'
import { attribute, failureOf, floatTensor, floatValue, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

const truth = { name: 'training', dataType: 9, dims: [], rawData: Uint8Array.of(1) }

function parse(ratio: number | undefined, seed: number | undefined, options = {}, outputs = ['y', 'mask']) {
  const inputs = ['x', ratio === undefined ? '' : 'ratio', 'training']
  const dropout = node('Dropout', inputs, outputs, ...(seed === undefined ? [] : [attribute('seed', seed)]))
  const graph = {
    name: 'g',
    node: [dropout],
    initializer: [truth, floatTensor('ratio', [], [ratio ?? 0])],
    input: [floatValue('x', [2, 3, 4])],
    output: outputs.map((name) => ({ name })),
  }
  return parseOnnx(encodeModel(model(graph)), options)
}

const x = Float32Array.from({ length: 24 }, (_, i) => i - 11)
/** onnx.reference of onnx 1.23.2 with NumPy 2.4.6: ratio 0.3, seed 7. */
const MASK = [0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1]

describe('Dropout in training mode', () => {
  it('drops what ONNX’s reference drops, to the bit', () => {
    const result = createReferenceExecutor(parse(0.3, 7)).run(new Map([['x', x]]))
    expect(Array.from(result.get('mask') ?? [])).toEqual(MASK)
    const scale = Math.fround(1 / Math.fround(1 - Math.fround(0.3)))
    expect(Array.from(result.get('y') as Float32Array, (value) => value + 0)).toEqual(
      MASK.map((kept, i) => kept * Math.fround((x[i] as number) * scale) + 0),
    )
  })

  it('does so after simplification and in the fast executor', () => {
    const graph = parse(undefined, 0, {}, ['y'])
    const expected = createReferenceExecutor(graph)
      .run(new Map([['x', x]]))
      .get('y') as Float32Array
    expect(expected.filter((value) => value === 0).length).toBeGreaterThan(1)
    const { float } = prepare(graph)
    expect(
      createFastExecutor(float)
        .run(new Map([['x', x]]))
        .get('y'),
    ).toEqual(expected)
  })

  it('is the identity with ratio 0', () => {
    const result = createReferenceExecutor(parse(0, 7)).run(new Map([['x', x]]))
    expect([result.get('y'), Array.from(result.get('mask') ?? [])]).toEqual([x, Array(24).fill(1)])
  })

  it.each<[string, number, number | undefined, object, string, string]>([
    ['without a seed', 0.3, undefined, {}, 'unsupported', 'Dropout in training mode'],
    ['with a negative seed', 0.3, -1, {}, 'refused', 'has the seed -1'],
    ['with a seed beyond 32 bits', 0.3, 2 ** 32, {}, 'refused', 'has the seed 4294967296'],
    ['that drops everything', 1, 7, {}, 'refused', 'has the ratio 1; it must be at least 0 and below 1'],
    ['beyond the limit', 0.3, 7, { limits: { drawnElements: 23 } }, 'limit', '(limit "drawnElements")'],
  ])('%s is refused', (_, ratio, seed, options, code, message) => {
    expect(failureOf(() => parse(ratio, seed, options))).toEqual({ code, message: expect.stringContaining(message) })
  })
})
