/** Which lowering serves which operator; every other operator takes the generic path. */
import { depthToSpace, spaceToDepth } from './lower-blocks.ts'
import { add, divide, multiply, parametricRelu, subtract } from './lower-broadcast.ts'
import { clip, erf, fakeQuantisation, gelu, hardSigmoid, hardSwish, leakyRelu, relu } from './lower-elementwise.ts'
import { concat, gather, pad, renaming, repetition, slice, split, transpose } from './lower-movement.ts'
import { pointwise, sigmoid, swish } from './lower-pointwise.ts'
import { globalPooling, pooling, reduction } from './lower-pooling.ts'
import { matMul } from './lower-product.ts'
import { resize } from './lower-resize.ts'
import { layerNormalization, rmsNormalization, softmax } from './lower-rows.ts'
import { batchNormalization, convolution, dense } from './lower-weighted.ts'
import type { Lowering } from './planner.ts'

/** Functions of one element without a kernel. */
const POINTWISE = [
  ...['Abs', 'Ceil', 'Elu', 'Exp', 'Floor', 'Log', 'Mish', 'Neg', 'Reciprocal', 'Round', 'Selu', 'Sign'],
  ...['Softplus', 'Softsign', 'Sqrt', 'Tanh', 'ThresholdedRelu'],
]

export const lowerings: ReadonlyMap<string, Lowering> = new Map([
  ['Add', add],
  ['AveragePool', pooling('averagePool')],
  ['BatchNormalization', batchNormalization],
  ['Clip', clip],
  ['Concat', concat],
  ['Conv', convolution],
  ['DepthToSpace', depthToSpace],
  ['Div', divide],
  ['Dropout', renaming],
  ['Erf', erf],
  ['Expand', repetition],
  ['Flatten', renaming],
  ['Gather', gather],
  ['Gelu', (node, planner) => gelu(node, planner) || pointwise(node, planner)],
  ['GlobalAveragePool', globalPooling('averagePool')],
  ['GlobalMaxPool', globalPooling('maxPool')],
  ['HardSigmoid', hardSigmoid],
  ['HardSwish', hardSwish],
  ['Identity', renaming],
  ['LayerNormalization', layerNormalization],
  ['LeakyRelu', leakyRelu],
  ['MatMul', matMul],
  ['dyadic.MatMul', matMul],
  ['MaxPool', pooling('maxPool')],
  ['Mul', multiply],
  ['PRelu', parametricRelu],
  ['Pad', pad],
  ['QuantizeLinear', fakeQuantisation],
  ['ReduceMax', reduction('maxPool')],
  ['ReduceMean', reduction('averagePool')],
  ['Relu', relu],
  ['RMSNormalization', rmsNormalization],
  ['Reshape', renaming],
  ['Resize', resize],
  ['Sigmoid', sigmoid],
  ['Slice', slice],
  ['Softmax', softmax],
  ['SpaceToDepth', spaceToDepth],
  ['Split', split],
  ['Squeeze', renaming],
  ['Sub', subtract],
  ['Swish', swish],
  ['Tile', repetition],
  ['Transpose', transpose],
  ['Unsqueeze', renaming],
  ['dyadic.Add', add],
  ['dyadic.Conv', convolution],
  ['dyadic.Dense', dense],
  ...POINTWISE.map((name): [string, Lowering] => [name, pointwise]),
])
