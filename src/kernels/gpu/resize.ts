/**
 * Linear resizing in WGSL (R14): one thread per pixel and four channels. Rows and columns are tables of four words per output
 * index: first source, second source, share of the second, nothing.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

const WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['stride', 'inputImage', 'inputWidth', 'outputWidth', 'outputPixels', 'size', 'bits', 'rows', 'columns'],
}

export const resize: GpuKernel = {
  name: 'resize__plain',
  families: ['resize'],
  level: 'plain',
  words: WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(WORDS, 'u32')}${CODES}
fn along(base: i32, row: vec4<i32>, column: i32, four: i32) -> vec4<i32> {
  let one = 1i << u32(p.bits);
  let first = load4(base, (row.x * p.inputWidth + column) * p.stride + four * 4, p.size);
  let second = load4(base, (row.y * p.inputWidth + column) * p.stride + four * 4, p.size);
  return first * vec4<i32>(one - row.z) + second * vec4<i32>(row.z);
}
${THREAD}
  let fours = p.stride >> 2u;
  if (index >= p.outputPixels * fours) { return; }
  let pixel = index / fours;
  let four = index % fours;
  let base = p.input + image * p.inputImage;
  let row = constants[p.rows + pixel / p.outputWidth];
  let column = constants[p.columns + pixel % p.outputWidth];
  let one = 1i << u32(p.bits);
  let sum = along(base, row, column.x, four) * vec4<i32>(one - column.z) + along(base, row, column.y, four) * vec4<i32>(column.z);
  let codes = (sum + vec4<i32>((one * one) >> 1u)) >> vec4<u32>(u32(2 * p.bits));
  store4(p.output, (image * p.outputPixels + pixel) * p.stride + four * 4, p.size, codes);
}
`,
}
