import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runReference } from '../../reference/run.ts'
import type { AttributeValue } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { constantOf } from '../rewrite.ts'
import { allocate, type ElementType, elementCount, type Tensor } from '../tensor.ts'

interface EncodedTensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface GoldenCase {
  readonly name: string
  readonly operator: string
  readonly inputs: readonly (EncodedTensor | null)[]
  readonly constants: readonly number[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly output: EncodedTensor
}

function decode({ type, shape, data }: EncodedTensor): Tensor {
  const values = allocate(type, elementCount(shape))
  data.forEach((value, index) => {
    // JSON holds 64-bit extremes as the nearest double, one beyond the range.
    if (values instanceof BigInt64Array) values[index] = value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)
    else values[index] = value
  })
  return { type, shape, data: values }
}

const cases: GoldenCase[] = JSON.parse(readFileSync(new URL('goldens.json', import.meta.url), 'utf8'))

/** Where ONNX's reference differs from ONNX Runtime, and dyadic keeps to it: docs/deviations.md. */
const DEVIATIONS: ReadonlySet<string> = new Set(['resize nearest align_corners floor', 'resize linear align_corners'])

/** Made by test/vectors/operators.py with ONNX Runtime. */
describe('operators agree with ONNX Runtime', () => {
  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
    const tensors = golden.inputs.map((input) => input && decode(input))
    const names = tensors.map((tensor, index) => (tensor ? `i${index}` : ''))
    const isConstant = (index: number) => golden.constants.includes(index)
    const runtime = names.filter((name, index) => name !== '' && !isConstant(index))
    const tensor = (name: string) => tensors[names.indexOf(name)] as Tensor
    const graph = inferGraph({
      name: golden.name,
      opset: 21,
      inputs: runtime.map((name) => ({ name, type: tensor(name).type, shape: tensor(name).shape })),
      outputs: ['y'],
      nodes: [
        {
          name: 'node',
          operator: golden.operator,
          inputs: names,
          outputs: ['y'],
          attributes: new Map(Object.entries(golden.attributes)),
        },
      ],
      constants: new Map(golden.constants.map((index) => [names[index], constantOf(tensors[index] as Tensor)])),
    })
    const result = runReference(graph, new Map(runtime.map((name) => [name, tensor(name)]))).get('y') as Tensor
    const expected = decode(golden.output)
    expect({ type: result.type, shape: result.shape }).toEqual({ type: expected.type, shape: expected.shape })
    if (DEVIATIONS.has(golden.name)) {
      expect(Array.from(result.data, Number)).not.toEqual(Array.from(expected.data, Number))
      return
    }
    expected.data.forEach((value, index) => {
      const found = Number(result.data[index])
      if (expected.type !== 'float32') expect(found).toBe(Number(value))
      else expect(Math.abs(found - Number(value))).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(Number(value))))
    })
  })
})
