/** Pooling in WGSL: averages (R6) and maxima (R8). One thread per pixel and four channels. */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

const WINDOW = [
  'stride',
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
  'inputSize',
  'outputSize',
]

/** `start` declares `result`, `each` sees the codes of one tap, `end` makes `result` what is stored. */
function pool(name: string, words: Words, functions: string, start: string, each: string, end: string): GpuKernel {
  return {
    name: `${name}__plain`,
    families: [name],
    level: 'plain',
    words,
    tile: [64, 1, 1],
    workgroupBytes: 0,
    threads: 64,
    code: `${bindings(words, 'u32')}${CODES}${functions}${THREAD}
  let fours = p.stride >> 2u;
  if (index >= p.outputPixels * fours) { return; }
  let pixel = index / fours;
  let four = index % fours;
  let top = (pixel / p.outputWidth) * p.strideY - p.padTop;
  let first = (pixel % p.outputWidth) * p.strideX - p.padLeft;
  ${start}
  for (var i = 0i; i < p.kernelHeight; i++) {
    let y = top + i * p.dilationY;
    if (y < 0 || y >= p.inputHeight) { continue; }
    for (var j = 0i; j < p.kernelWidth; j++) {
      let x = first + j * p.dilationX;
      if (x < 0 || x >= p.inputWidth) { continue; }
      let source = (y * p.inputWidth + x) * p.stride + four * 4;
      let codes = load4(p.input + image * p.inputImage, source, p.inputSize);
      ${each}
    }
  }
  ${end}
  store4(p.output, (image * p.outputPixels + pixel) * p.stride + four * 4, p.outputSize, result);
}
`,
  }
}

export const maxPool = pool(
  'max-pool',
  { scaled: ['input', 'output'], fixed: [...WINDOW, 'least'] },
  '',
  'var result = vec4<i32>(p.least);',
  'result = max(result, codes);',
  '',
)

export const averagePool = pool(
  'average-pool',
  {
    scaled: ['input', 'output'],
    fixed: [...WINDOW, 'inputZeroPoint', 'multiplier', 'shift', 'outputZeroPoint', 'low', 'high'],
  },
  REQUANTIZE,
  'var result = vec4<i32>();',
  'result += codes - vec4<i32>(p.inputZeroPoint);',
  `result = clamp(
    requantize(result, vec4<i32>(p.multiplier), p.shift) + vec4<i32>(p.outputZeroPoint),
    vec4<i32>(p.low),
    vec4<i32>(p.high),
  );`,
)
