/**
 * Depthwise convolution: one thread per pixel and four channels. Weights are words [tap][channel], padded to the channel
 * stride; zero points of the input are words, one per channel.
 */
import { CODES, THREAD } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

export const depthwise: GpuKernel = {
  name: 'depthwise__plain',
  families: ['depthwise'],
  level: 'plain',
  words: CONVOLUTION_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(CONVOLUTION_WORDS, 'u32')}${CODES}${REQUANTIZE}${FINISH}
${THREAD}
  let fours = p.columns >> 2u;
  if (index >= p.outputPixels * fours) { return; }
  let pixel = index / fours;
  let four = index % fours;
  let top = (pixel / p.outputWidth) * p.strideY - p.padTop;
  let start = (pixel % p.outputWidth) * p.strideX - p.padLeft;
  let base = p.input + image * p.inputImage;
  let zeroPoints = constants[p.zeroPoints + four];
  var sums: vec4<i32>;
  for (var i = 0i; i < p.kernelHeight; i++) {
    let y = top + i * p.dilationY;
    if (y < 0 || y >= p.inputHeight) { continue; }
    for (var j = 0i; j < p.kernelWidth; j++) {
      let x = start + j * p.dilationX;
      if (x < 0 || x >= p.inputWidth) { continue; }
      let codes = load4(base, (y * p.inputWidth + x) * p.inputStride + four * 4, p.inputSize);
      sums += (codes - zeroPoints) * constants[p.weights + (i * p.kernelWidth + j) * fours + four];
    }
  }
  let element = (image * p.outputPixels + pixel) * p.columns + four * 4;
  var residual: vec4<i32>;
  if (p.hasResidual != 0) { residual = load4(p.residual, element, p.outputSize); }
  store4(p.output, element, p.outputSize, finish(sums, four, residual));
}
`,
}
