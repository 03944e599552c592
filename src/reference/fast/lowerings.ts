/** Which lowering serves which operator; every other operator takes the generic path. */
import { depthToSpace, spaceToDepth, split } from './lower-blocks.ts'
import { add, divide, multiply, parametricRelu, subtract } from './lower-broadcast.ts'
import { clip, fakeQuantisation, hardSigmoid, hardSwish, leakyRelu, relu, softmax } from './lower-elementwise.ts'
import { concat, pad, renaming, slice, transpose } from './lower-movement.ts'
import { pointwise, sigmoid, swish } from './lower-pointwise.ts'
import { globalPooling, pooling, reduction } from './lower-pooling.ts'
import { resize } from './lower-resize.ts'
import { batchNormalization, convolution, dense } from './lower-weighted.ts'
import type { Lowering } from './planner.ts'

/** Functions of one element without a kernel. */
const POINTWISE = [
  ...['Abs', 'Ceil', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'Log', 'Mish', 'Neg', 'Reciprocal', 'Round', 'Selu', 'Sign'],
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
  ['Flatten', renaming],
  ['GlobalAveragePool', globalPooling('averagePool')],
  ['GlobalMaxPool', globalPooling('maxPool')],
  ['HardSigmoid', hardSigmoid],
  ['HardSwish', hardSwish],
  ['Identity', renaming],
  ['LeakyRelu', leakyRelu],
  ['MaxPool', pooling('maxPool')],
  ['Mul', multiply],
  ['PRelu', parametricRelu],
  ['Pad', pad],
  ['QuantizeLinear', fakeQuantisation],
  ['ReduceMax', reduction('maxPool')],
  ['ReduceMean', reduction('averagePool')],
  ['Relu', relu],
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
  ['Transpose', transpose],
  ['Unsqueeze', renaming],
  ['dyadic.Add', add],
  ['dyadic.Conv', convolution],
  ['dyadic.Dense', dense],
  ...POINTWISE.map((name): [string, Lowering] => [name, pointwise]),
])
