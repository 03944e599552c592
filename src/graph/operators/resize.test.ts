import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { type Constant, type ElementType, makeConstant, type Tensor } from '../tensor.ts'
import { resize } from './resize.ts'

const floats = (...values: number[]) => makeConstant('float32', [values.length], values)
const tensorOf = (...values: number[]): Tensor => ({
  type: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const sizes = (...values: number[]) => makeConstant('int64', [values.length], values)

function shapeOf(
  attributes: Record<string, AttributeValue>,
  lists: Record<string, Constant>,
  type: ElementType = 'float32',
) {
  const node = {
    name: 'up',
    operator: 'Resize',
    inputs: ['x', ...['region', 'scales', 'sizes'].map((name) => (lists[name] ? name : ''))],
    outputs: ['y'],
    attributes: new Map(Object.entries(attributes)),
  }
  const graph = inferGraph({
    name: 'g',
    opset: 19,
    inputs: [{ name: 'x', type, shape: [1, 2, 5, 3] }],
    outputs: ['y'],
    nodes: [node],
    constants: new Map(Object.entries(lists)),
  })
  return graph.values.get('y')?.shape
}

/** The values are held to ONNX Runtime's by goldens.test.ts. */
describe('Resize', () => {
  it('rounds the resized axes down, and takes sizes as they are', () => {
    expect(shapeOf({}, { scales: floats(1, 1, 1.5, 0.4) })).toEqual([1, 2, 7, 1])
    expect(shapeOf({}, { sizes: sizes(1, 2, 10, 9) })).toEqual([1, 2, 10, 9])
    expect(shapeOf({ axes: [-1] }, { scales: floats(2) })).toEqual([1, 2, 5, 6])
    // An empty list counts as none, as older exporters write it.
    expect(shapeOf({}, { region: floats(), scales: floats(), sizes: sizes(1, 2, 5, 3) })).toEqual([1, 2, 5, 3])
  })

  const four = floats(1, 1, 2, 2)
  it.each([
    ['mode', { mode: 'area' }, { scales: four }, 'refused', 'none of nearest, linear, cubic'],
    ['coordinates', { coordinate_transformation_mode: 'x' }, { scales: four }, 'refused', 'none that ONNX defines'],
    ['rounding', { nearest_mode: 'x' }, { scales: four }, 'refused', 'none that ONNX defines'],
    ['policy', { keep_aspect_ratio_policy: 'x' }, { sizes: sizes(1, 2, 5, 3) }, 'refused', 'keep_aspect_ratio_policy'],
    ['both', {}, { scales: four, sizes: sizes(1, 2, 5, 3) }, 'refused', 'has both'],
    ['neither', {}, {}, 'refused', 'has neither'],
    ['length', {}, { scales: floats(2) }, 'refused', '1 scales or sizes for 4 axes'],
    ['zero', {}, { scales: floats(1, 1, 0, 2) }, 'refused', 'not above 0'],
    ['nothing left', {}, { scales: floats(1, 1, 1, 0.25) }, 'refused', 'which holds no elements'],
    ['region', { coordinate_transformation_mode: 'tf_crop_and_resize' }, { scales: four }, 'refused', 'a region of 8'],
    ['size', {}, { sizes: sizes(1, 2, 2 ** 15, 2 ** 16) }, 'limit', 'too large'],
  ] as const)('names %s when it refuses', (_, attributes, lists, code, message) => {
    expect(() => shapeOf(attributes, lists)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  it('shrinks before it grows: nothing between is larger than both ends', () => {
    const shape = [1, 2 ** 20]
    const result = resize.evaluate({
      node: 'up',
      inputs: [
        { type: 'int8', shape, data: new Int8Array(2 ** 20).fill(7) },
        undefined,
        undefined,
        tensorOf(2 ** 20, 1),
      ],
      attributes: new Map(
        Object.entries(resize.attributes).flatMap(([name, { default: value }]) =>
          value === undefined ? [] : [[name, value] as const],
        ),
      ),
      outputs: [{ type: 'int8', shape: [2 ** 20, 1] }],
    })
    expect(result[0]?.data.every((value) => value === 7)).toBe(true)
  })

  it('does not blend integers', () => {
    expect(() => shapeOf({ mode: 'linear' }, { scales: four }, 'uint8')).toThrow('Resize of uint8 in mode "linear"')
    expect(shapeOf({ mode: 'nearest' }, { scales: four }, 'uint8')).toEqual([1, 2, 10, 6])
  })
})
