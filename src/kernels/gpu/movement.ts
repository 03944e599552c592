/**
 * Codes to other places in WGSL: strided copies (R8), fills, and the program's rim. A copy of bytes or halves writes parts of
 * words that other threads write too, so its arena is atomic; copies of whole words are not.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

/** Loops of one strided copy or export, at most. */
export const MOST_LOOPS = 8
const loops = (fields: readonly string[]): string[] =>
  Array.from({ length: MOST_LOOPS }, (_, i) => fields.map((field) => `${field}${i}`)).flat()

const COPY_WORDS: Words = {
  scaled: ['input', 'output'],
  // Starts and steps count units of the copy; images are words.
  fixed: ['units', 'sourceStart', 'targetStart', 'inputImage', 'outputImage', 'size'].concat(
    loops(['count', 'sourceStep', 'targetStep']),
  ),
}

/** Takes the innermost index off `rest` for each loop, the last one first. */
const walk = (each: (i: number) => string): string =>
  Array.from({ length: MOST_LOOPS }, (_, k) => each(MOST_LOOPS - 1 - k)).join('\n')

const PLACES = `
  var rest = index;
  var source = p.sourceStart;
  var target_ = p.targetStart;
${walk(
  (i) => `  source += (rest % p.count${i}) * p.sourceStep${i};
  target_ += (rest % p.count${i}) * p.targetStep${i};
  rest = rest / p.count${i};`,
)}
`

function copy(family: string, element: string, body: string): GpuKernel {
  return {
    name: `${family}__plain`,
    families: [family],
    level: 'plain',
    words: COPY_WORDS,
    tile: [64, 1, 1],
    workgroupBytes: 0,
    threads: 64,
    code: `${bindings(COPY_WORDS, element)}${THREAD}
  if (index >= p.units) { return; }${PLACES}${body}
}
`,
  }
}

/** Units of four bytes. Unused loops have count 1. */
export const copyWords = copy(
  'copy-words',
  'u32',
  '  arena[p.output + image * p.outputImage + target_] = arena[p.input + image * p.inputImage + source];',
)

/** Units of one or two bytes. */
export const copyParts = copy(
  'copy-parts',
  'atomic<u32>',
  `  let bits = 8u << u32(p.size);
  let mask = (1u << bits) - 1u;
  let first = source << u32(p.size);
  let word = atomicLoad(&arena[p.input + image * p.inputImage + (first >> 2u)]);
  let code = (word >> (u32(first & 3) * 8u)) & mask;
  let to = target_ << u32(p.size);
  let place = p.output + image * p.outputImage + (to >> 2u);
  let shift = u32(to & 3) * 8u;
  atomicAnd(&arena[place], ~(mask << shift));
  atomicOr(&arena[place], code << shift);`,
)

const FILL_WORDS: Words = { scaled: ['output'], fixed: ['words', 'value'] }

/** Words of every image. */
export const fill: GpuKernel = {
  name: 'fill__plain',
  families: ['fill'],
  level: 'plain',
  words: FILL_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(FILL_WORDS, 'u32')}${THREAD}
  if (index >= p.words) { return; }
  arena[p.output + image * p.words + index] = bitcast<u32>(p.value);
}
`,
}

const IMPORT_WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['inputImage', 'pixels', 'channels', 'stride', 'size', 'offset', 'pixelStep', 'channelStep'],
}

/** A compact input → stored codes, less `offset`; spare lanes are 0. One thread per pixel and four channels. */
export const importCodes: GpuKernel = {
  name: 'import__plain',
  families: ['import'],
  level: 'plain',
  words: IMPORT_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(IMPORT_WORDS, 'u32')}${CODES}${THREAD}
  let fours = p.stride >> 2u;
  if (index >= p.pixels * fours) { return; }
  let pixel = index / fours;
  let four = index % fours;
  var codes: vec4<i32>;
  for (var lane = 0i; lane < 4; lane++) {
    let channel = four * 4 + lane;
    if (channel < p.channels) {
      let at = pixel * p.pixelStep + channel * p.channelStep;
      // Unsigned bytes less 128 are signed bytes with the first bit turned.
      codes[lane] = load(p.input + image * p.inputImage, at, p.size) ^ p.offset;
    }
  }
  store4(p.output, (image * p.pixels + pixel) * p.stride + four * 4, p.size, codes);
}
`,
}

const EXPORT_WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['elements', 'inputImage', 'outputImage', 'start', 'size', 'offset'].concat(loops(['count', 'step'])),
}

/** Stored codes → a compact output, one thread per four elements; the last ones may lie behind the output. */
export const exportCodes: GpuKernel = {
  name: 'export__plain',
  families: ['export'],
  level: 'plain',
  words: EXPORT_WORDS,
  tile: [64, 1, 1],
  workgroupBytes: 0,
  threads: 64,
  code: `${bindings(EXPORT_WORDS, 'u32')}${CODES}
fn place(element: i32) -> i32 {
  var rest = element;
  var at = p.start;
${walk((i) => `  at += (rest % p.count${i}) * p.step${i};\n  rest = rest / p.count${i};`)}
  return at;
}
${THREAD}
  let element = index * 4;
  if (element >= p.elements) { return; }
  let base = p.input + image * p.inputImage;
  var codes: vec4<i32>;
  for (var lane = 0i; lane < 4; lane++) {
    if (element + lane < p.elements) { codes[lane] = load(base, place(element + lane), p.size) ^ p.offset; }
  }
  store4(p.output + image * p.outputImage, element, p.size, codes);
}
`,
}
