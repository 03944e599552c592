/** Rows of a constant table by computed indices in WGSL (R19): one thread per four channels. Rows have the output's stride. */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

const WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['inputImage', 'pixels', 'stride', 'indexStep', 'entries', 'size', 'table'],
}

export const lookup: GpuKernel = {
  name: 'lookup__plain',
  families: ['lookup'],
  level: 'plain',
  words: WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(WORDS, 'u32')}${CODES}${THREAD}
  let fours = p.stride >> 2u;
  if (index >= p.pixels * fours) { return; }
  let pixel = index / fours;
  let channel = (index % fours) * 4;
  let found = bitcast<i32>(arena[p.input + image * p.inputImage + pixel * p.indexStep]);
  let element = clamp(found, 0, p.entries - 1) * p.stride + channel;
  let word = (element << u32(p.size)) >> 2u;
  let at = p.output + ((((image * p.pixels + pixel) * p.stride + channel) << u32(p.size)) >> 2u);
  for (var i = 0i; i < (1i << u32(p.size)); i++) {
    arena[at + i] = bitcast<u32>(constant(4 * p.table + word + i));
  }
}
`,
}
