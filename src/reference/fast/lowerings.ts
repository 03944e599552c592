/** Which lowering serves which operator; every other operator takes the generic path. */
import {
  add,
  clip,
  fakeQuantisation,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  multiply,
  relu,
  scalarFunction,
  softmax,
} from './lower-elementwise.ts'
import { concat, pad, renaming, resize, slice, transpose } from './lower-movement.ts'
import { globalPooling, pooling } from './lower-pooling.ts'
import { batchNormalization, convolution, dense } from './lower-weighted.ts'
import type { Lowering } from './planner.ts'

export const lowerings: ReadonlyMap<string, Lowering> = new Map([
  ['Add', add],
  ['AveragePool', pooling('averagePool')],
  ['BatchNormalization', batchNormalization],
  ['Clip', clip],
  ['Concat', concat],
  ['Conv', convolution],
  ['Dropout', renaming],
  ['Exp', scalarFunction(Math.exp)],
  ['Flatten', renaming],
  ['GlobalAveragePool', globalPooling('averagePool')],
  ['GlobalMaxPool', globalPooling('maxPool')],
  ['HardSigmoid', hardSigmoid],
  ['HardSwish', hardSwish],
  ['Identity', renaming],
  ['LeakyRelu', leakyRelu],
  ['MaxPool', pooling('maxPool')],
  ['Mul', multiply],
  ['Neg', scalarFunction((x) => -x)],
  ['Pad', pad],
  ['QuantizeLinear', fakeQuantisation],
  ['Relu', relu],
  ['Reshape', renaming],
  ['Resize', resize],
  ['Sigmoid', scalarFunction((x) => 1 / (1 + Math.exp(-x)))],
  ['Slice', slice],
  ['Softmax', softmax],
  ['Sqrt', scalarFunction(Math.sqrt)],
  ['Squeeze', renaming],
  ['Tanh', scalarFunction(Math.tanh)],
  ['Transpose', transpose],
  ['Unsqueeze', renaming],
  ['dyadic.Add', add],
  ['dyadic.Conv', convolution],
  ['dyadic.Dense', dense],
])
