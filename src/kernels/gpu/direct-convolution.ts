/**
 * The convolution for every format and grouping that no faster kernel takes: one thread per pixel and four output channels,
 * tap by tap. Weights are 16-bit words [output][tap][input of the group], two to a word, each row padded to whole words;
 * zero points of the input are words, one per channel.
 */
import { CODES, THREAD } from './codes.ts'
import { CONVOLUTION_WORDS, FINISH } from './convolution-words.ts'
import { bindings, type GpuKernel } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

export const directConvolution: GpuKernel = {
  name: 'convolve_direct__plain',
  families: ['convolve-direct'],
  level: 'plain',
  words: CONVOLUTION_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(CONVOLUTION_WORDS, 'u32')}${CODES}${REQUANTIZE}${FINISH}
fn weight(output: i32, tap: i32) -> i32 {
  let at = output * (p.depth >> 1u) + tap;
  return extractBits(constant(p.weights * 4 + (at >> 1u)), u32(at & 1) * 16u, 16u);
}

fn accumulate(image: i32, pixel: i32, output: i32) -> i32 {
  let group = output / p.groupOutputs;
  let first = group * p.groupInputs;
  let top = (pixel / p.outputWidth) * p.strideY - p.padTop;
  let start = (pixel % p.outputWidth) * p.strideX - p.padLeft;
  let base = p.input + image * p.inputImage;
  var sum = 0i;
  for (var i = 0i; i < p.kernelHeight; i++) {
    let y = top + i * p.dilationY;
    if (y < 0 || y >= p.inputHeight) { continue; }
    for (var j = 0i; j < p.kernelWidth; j++) {
      let x = start + j * p.dilationX;
      if (x < 0 || x >= p.inputWidth) { continue; }
      let source = (y * p.inputWidth + x) * p.inputStride + first;
      let tap = (i * p.kernelWidth + j) * p.groupInputs;
      for (var c = 0i; c < p.groupInputs; c++) {
        sum += (load(base, source + c, p.inputSize) - constant(p.zeroPoints * 4 + first + c)) * weight(output, tap + c);
      }
    }
  }
  return sum;
}
${THREAD}
  let fours = p.columns >> 2u;
  if (index >= p.outputPixels * fours) { return; }
  let pixel = index / fours;
  let four = index % fours;
  let element = (image * p.outputPixels + pixel) * p.columns + four * 4;
  var sums: vec4<i32>;
  for (var lane = 0i; lane < 4; lane++) {
    // Spare lanes repeat the last channel; their multiplier is 0.
    sums[lane] = accumulate(image, pixel, min(four * 4 + lane, p.kernelOutputs - 1));
  }
  var residual: vec4<i32>;
  if (p.hasResidual != 0) { residual = load4(p.residual, element, p.outputSize); }
  store4(p.output, element, p.outputSize, finish(sums, four, residual));
}
`,
}
