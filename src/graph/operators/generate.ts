/** Operators that make values of sizes: ConstantOfShape, Range and Size. Sizes are constants, because shapes are static. */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, type Constant, elementCount, readConstant, readNumbers } from '../tensor.ts'
import { constantNumbers, operand, refuse, unsupported } from './context.ts'

/** ONNX ConstantOfShape: one number, 0 in float32 by default, repeated to the shape that the input names. */
export const constantOfShape: Operator = {
  name: 'ConstantOfShape',
  since: [9, 20, 21, 23],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { value: { kind: 'tensor' } },
  integer: 'none',
  infer: (context) => {
    const shape = constantNumbers(context, 0, 'shape') as number[]
    const value = context.attributes.get('value') as Constant | undefined
    if (shape.some((size) => size < 0)) refuse(context.node, `shape [${shape}] has a negative size`)
    if (value !== undefined && elementCount(value.shape) !== 1)
      refuse(context.node, `its value has shape [${value.shape}]; one element is needed`)
    return [{ type: value?.type ?? 'float32', shape }]
  },
  evaluate: ({ attributes, outputs }) => {
    const [{ type, shape }] = outputs
    const value = attributes.get('value') as Constant | undefined
    const data = allocate(type, elementCount(shape))
    if (value !== undefined) (data as Float32Array).fill(readConstant(value)[0] as number)
    return [{ type, shape, data }]
  },
}

function rangeOf(context: InferContext): { start: number; count: number; step: number } {
  const [start, end, step] = ['start', 'limit', 'step'].map((what, index) => {
    const constant = context.constant(index)
    if (constant === undefined)
      return unsupported(context.node, `the ${what} of Range is computed at run time; its size must be static: bind it`)
    if (elementCount(constant.shape) !== 1) refuse(context.node, `the ${what} of Range has shape [${constant.shape}]`)
    return readNumbers(constant)[0]
  }) as [number, number, number]
  if (step === 0) refuse(context.node, 'the step of Range is 0')
  return { start, count: Math.max(0, Math.ceil((end - start) / step)), step }
}

/** ONNX Range: start, start + step … before the limit. */
export const range: Operator = {
  name: 'Range',
  since: [11],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const { type } = operand(context, 0)
    if (context.inputs.some((input) => input?.type !== type) || type === 'bool')
      refuse(context.node, `Range of types ${context.inputs.map((input) => input?.type).join(', ')}`)
    return [{ type, shape: [rangeOf(context).count] }]
  },
  evaluate: ({ inputs, outputs }) => {
    const [{ type, shape }] = outputs
    const data = allocate(type, shape[0])
    const [start, , step] = inputs.map((input) => input!.data[0])
    for (let i = 0; i < data.length; i++) {
      if (data instanceof BigInt64Array || data instanceof BigUint64Array)
        data[i] = (start as bigint) + BigInt(i) * (step as bigint)
      else data[i] = (start as number) + i * (step as number)
    }
    return [{ type, shape, data }]
  },
}

/** ONNX Size: the number of elements as int64. */
export const sizeOf: Operator = {
  name: 'Size',
  since: [1, 13, 19, 21, 23],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: () => [{ type: 'int64', shape: [] }],
  evaluate: ({ inputs, outputs }) => [
    { ...outputs[0], data: BigInt64Array.of(BigInt(elementCount(inputs[0]!.shape))) },
  ],
}
