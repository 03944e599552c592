/**
 * ONNX GridSample: an image read at computed coordinates. Shapes: x (N, C, S…), grid (N, O…, rank) with coordinates from −1 to 1,
 * the last spatial axis first, y (N, C, O…). Weights and sums in double, rounded once. Source: onnx/docs/Operators.md.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse, stringAttribute } from './context.ts'
import { rowMajorStrides } from './layout.ts'
import { cubicKernel } from './resize-kernels.ts'

type Mode = 'nearest' | 'linear' | 'cubic'

const MODES: ReadonlyMap<string, Mode> = new Map([
  ['nearest', 'nearest'],
  ['linear', 'linear'],
  ['cubic', 'cubic'],
  // Their names before opset 20.
  ['bilinear', 'linear'],
  ['bicubic', 'cubic'],
])

const CUBIC = cubicKernel(-0.75)

/** A coordinate from −1 … 1 in elements: between the centres of the outer ones, or between their edges. */
function elementCoordinate(x: number, size: number, alignCorners: boolean): number {
  return alignCorners ? ((x + 1) / 2) * (size - 1) : ((x + 1) * size - 1) / 2
}

/** A coordinate mirrored at the ends of the axis until it lies inside. */
function reflected(x: number, size: number, alignCorners: boolean): number {
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5]
  const range = high - low
  if (range === 0) return 0
  const phase = Math.abs(x - low) % (2 * range)
  return low + (phase > range ? 2 * range - phase : phase)
}

/** The samples of one axis and their weights. */
function samples(x: number, mode: Mode): { first: number; weights: readonly number[] } {
  if (mode === 'nearest') {
    const below = Math.floor(x)
    const nearest = x - below === 0.5 && Math.round(x) % 2 !== 0 ? below : Math.round(x)
    return { first: nearest, weights: [1] }
  }
  const below = Math.floor(x)
  if (mode === 'linear') return { first: below, weights: [1 - (x - below), x - below] }
  return { first: below - 1, weights: [-1, 0, 1, 2].map((offset) => CUBIC.weight(below + offset - x)) }
}

/** ONNX GridSample. */
export const gridSample: Operator = {
  name: 'GridSample',
  since: [16, 20, 22],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {
    align_corners: { kind: 'int', flag: true, default: 0 },
    mode: { kind: 'string', default: 'linear' },
    padding_mode: { kind: 'string', default: 'zeros' },
  },
  integer: 'none',
  infer: (context) => {
    const { node, attributes } = context
    const x = operand(context, 0).shape
    const grid = operand(context, 1).shape
    const mode = MODES.get(stringAttribute(attributes, 'mode'))
    if (mode === undefined) refuse(node, 'the mode of GridSample is none that ONNX defines')
    if (!['zeros', 'border', 'reflection'].includes(stringAttribute(attributes, 'padding_mode')))
      refuse(node, 'the padding_mode of GridSample is none of zeros, border, reflection')
    if (x.length < 3 || grid.length !== x.length || grid[0] !== x[0] || grid.at(-1) !== x.length - 2)
      refuse(node, `a grid of shape [${grid}] does not fit an image of shape [${x}]`)
    if (elementCount(x) === 0) refuse(node, `GridSample of shape [${x}], which holds no elements`)
    return [{ type: floatResult(context), shape: [x[0], x[1], ...grid.slice(1, -1)] }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const values = numbersOf(inputs[0], node)
    const grid = numbersOf(inputs[1], node)
    const [batch, channels, ...spatial] = inputs[0]!.shape
    const [{ type, shape }] = outputs
    const mode = MODES.get(stringAttribute(attributes, 'mode')) as Mode
    const padding = stringAttribute(attributes, 'padding_mode')
    const alignCorners = numberAttribute(attributes, 'align_corners') !== 0
    const strides = rowMajorStrides(spatial)
    const [plane, positions, rank] = [elementCount(spatial), elementCount(shape.slice(2)), spatial.length]
    /** The index that a sample outside reads; `undefined` for a zero. */
    const placed = (index: number, size: number): number | undefined => {
      if (index >= 0 && index < size) return index
      if (padding === 'zeros') return undefined
      const inside = padding === 'border' ? index : Math.round(reflected(index, size, alignCorners))
      return Math.min(size - 1, Math.max(0, inside))
    }
    const data = allocate(type, elementCount(shape))
    for (let n = 0; n < batch; n++)
      for (let position = 0; position < positions; position++) {
        const axes = spatial.map((size, axis) => {
          const given = grid[(n * positions + position) * rank + rank - 1 - axis]
          const x = elementCoordinate(given, size, alignCorners)
          if (padding === 'border' && mode !== 'cubic') return samples(Math.min(size - 1, Math.max(0, x)), mode)
          return samples(padding === 'reflection' && mode !== 'cubic' ? reflected(x, size, alignCorners) : x, mode)
        })
        for (let c = 0; c < channels; c++) {
          const start = (n * channels + c) * plane
          const blend = (axis: number, offset: number): number => {
            if (axis === rank) return values[start + offset]
            return axes[axis].weights.reduce((sum, weight, k) => {
              const index = placed(axes[axis].first + k, spatial[axis])
              return index === undefined ? sum : sum + weight * blend(axis + 1, offset + index * strides[axis])
            }, 0)
          }
          data[(n * channels + c) * positions + position] = blend(0, 0)
        }
      }
    return [{ type, shape, data }]
  },
}
