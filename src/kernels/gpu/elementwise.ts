/**
 * Element-by-element kernels in WGSL: addition (R5), curves (R9), rescaling (R10), multiplication (R11) and
 * lengths (R20). One thread per four codes of the whole storage, spare lanes included; nothing reads what these come to hold.
 */
import { CODES, THREAD } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'
import { REQUANTIZE } from './requantize.ts'

/** A kernel that makes `elements` codes per image, four per thread: `body` turns `element` into `codes`. */
function elementwise(name: string, words: Words, functions: string, body: string): GpuKernel {
  return {
    name: `${name}__plain`,
    families: [name],
    level: 'plain',
    words,
    tile: [64, 1, 1],
    workgroupBytes: 0,
    threads: 64,
    code: `${bindings(words, 'u32')}${CODES}${functions}${THREAD}
  let element = index * 4;
  if (element >= p.elements) { return; }
${body}
  store4(p.output, image * p.elements + element, p.outputSize, codes);
}
`,
  }
}

/** (sum + 2^(shift-1)) >> shift of int32. */
const ROUND = `
fn round(sum: vec4<i32>, shift: i32) -> vec4<i32> {
  return (sum + vec4<i32>(1i << u32(shift - 1))) >> vec4<u32>(u32(shift));
}
`

/** Codes of two operands; the right one has `rightElements` per image and starts over where the output has more. */
const OPERANDS = `
  let a = load4(p.left, image * p.elements + element, p.leftSize) - vec4<i32>(p.leftZeroPoint);
  let b = load4(p.right, image * p.rightElements + element % p.rightElements, p.rightSize) - vec4<i32>(p.rightZeroPoint);`

const PAIR = [
  'elements',
  'rightElements',
  'leftSize',
  'rightSize',
  'outputSize',
  'leftZeroPoint',
  'rightZeroPoint',
  'shift',
  'outputZeroPoint',
  'low',
  'high',
]

export const add = elementwise(
  'add',
  { scaled: ['left', 'right', 'output'], fixed: [...PAIR, 'leftMultiplier', 'rightMultiplier'] },
  ROUND,
  `${OPERANDS}
  let rounded = round(a * vec4<i32>(p.leftMultiplier) + b * vec4<i32>(p.rightMultiplier), p.shift);
  let codes = clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));`,
)

export const multiply = elementwise(
  'multiply',
  { scaled: ['left', 'right', 'output'], fixed: [...PAIR, 'multiplier'] },
  REQUANTIZE,
  `${OPERANDS}
  let rounded = requantize(a * b, vec4<i32>(p.multiplier), p.shift);
  let codes = clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));`,
)

/** The root is found digit by digit; the sum is at most 2^31. */
export const magnitude = elementwise(
  'magnitude',
  { scaled: ['left', 'right', 'output'], fixed: [...PAIR, 'multiplier', 'leftShift'] },
  `${REQUANTIZE}
fn squareRoot(a: vec4<u32>) -> vec4<u32> {
  var root = vec4<u32>();
  var remainder = vec4<u32>();
  for (var place = 30; place >= 0; place -= 2) {
    remainder = (remainder << vec4<u32>(2u)) | ((a >> vec4<u32>(u32(place))) & vec4<u32>(3u));
    let trial = (root << vec4<u32>(2u)) | vec4<u32>(1u);
    let digit = remainder >= trial;
    root = (root << vec4<u32>(1u)) + select(vec4<u32>(), vec4<u32>(1u), digit);
    remainder -= select(vec4<u32>(), trial, digit);
  }
  return root;
}
`,
  `${OPERANDS}
  let length = bitcast<vec4<i32>>(squareRoot(bitcast<vec4<u32>>(a * a) + bitcast<vec4<u32>>(b * b)));
  let rounded = requantize(length << vec4<u32>(u32(p.leftShift)), vec4<i32>(p.multiplier), p.shift);
  let codes = clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));`,
)

export const rescale = elementwise(
  'rescale',
  {
    scaled: ['input', 'output'],
    fixed: ['elements', 'inputSize', 'outputSize', 'inputZeroPoint', 'positive', 'negative', 'stride'].concat([
      'shift',
      'outputZeroPoint',
      'low',
      'high',
    ]),
  },
  ROUND,
  `  let four = (element % p.stride) >> 2u;
  let value = load4(p.input, image * p.elements + element, p.inputSize) - vec4<i32>(p.inputZeroPoint);
  let multiplier = select(constants[p.negative + four], constants[p.positive + four], value >= vec4<i32>());
  let rounded = round(value * multiplier, p.shift);
  let codes = clamp(rounded + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));`,
)

/** Knots are words. */
export const curve = elementwise(
  'curve',
  { scaled: ['input', 'output'], fixed: ['elements', 'outputSize', 'knots', 'bits', 'shift', 'low', 'high'] },
  `
fn piece(code: i32) -> i32 {
  let u = code + 32768;
  let i = 4 * p.knots + (u >> u32(p.bits));
  let size = 1i << u32(p.bits);
  let f = u & (size - 1);
  return (constant(i) * (size - f) + constant(i + 1) * f + ((1i << u32(p.shift)) >> 1u)) >> u32(p.shift);
}
`,
  `  let x = load4(p.input, image * p.elements + element, 1);
  let made = vec4<i32>(piece(x.x), piece(x.y), piece(x.z), piece(x.w));
  let codes = clamp(made, vec4<i32>(p.low), vec4<i32>(p.high));`,
)
