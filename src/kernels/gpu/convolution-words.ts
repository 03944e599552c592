/**
 * The words that all convolution kernels take, and how they end: bias, requantisation (R3, R4), zero point and clamp. Weights,
 * biases, multipliers, zero points and taps are indices of four-word elements of the constants.
 */
import type { Words } from './kernel.ts'

export const CONVOLUTION_WORDS: Words = {
  scaled: ['input', 'output', 'residual', 'rows'],
  fixed: [
    'weights',
    'bias',
    'multipliers',
    'zeroPoints',
    'taps',
    // Channels that are computed (the output's stride), and bytes of a row of weights.
    'columns',
    'depth',
    'inputStride',
    'inputImage',
    'inputHeight',
    'inputWidth',
    'outputWidth',
    'outputPixels',
    'kernelHeight',
    'kernelWidth',
    'strideY',
    'strideX',
    'dilationY',
    'dilationX',
    'padTop',
    'padLeft',
    'groupInputs',
    'groupOutputs',
    'kernelOutputs',
    'inputSize',
    'outputSize',
    'shift',
    'left',
    'outputZeroPoint',
    'low',
    'high',
    'hasResidual',
    'residualZeroPoint',
    'residualMultiplier',
    'residualLeft',
    // Where weights are stored with an offset per channel: the row that masks spare lanes, and the offsets.
    'ones',
    'offsets',
  ],
  overrides: ['hasResidual', 'outputSize'],
}

/**
 * `finish(sums, four, residual)`: sums of channels 4·four … 4·four + 3 become codes; `finishWith` is for those that hold the
 * biases and multipliers of their channels already. Needs REQUANTIZE.
 */
export const FINISH = `
fn finishWith(sums: vec4<i32>, bias: vec4<i32>, multiplier: vec4<i32>, residual: vec4<i32>) -> vec4<i32> {
  let value = (sums + bias) << vec4<u32>(u32(p.left));
  var rounded: vec4<i32>;
  if (hasResidual != 0) {
    let other = (residual - vec4<i32>(p.residualZeroPoint)) << vec4<u32>(u32(p.residualLeft));
    rounded = requantizeSum(value, multiplier, other, vec4<i32>(p.residualMultiplier), p.shift);
  } else {
    rounded = requantize(value, multiplier, p.shift);
  }
  return clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
}

fn finish(sums: vec4<i32>, four: i32, residual: vec4<i32>) -> vec4<i32> {
  return finishWith(sums, constants[p.bias + four], constants[p.multipliers + four], residual);
}
`
