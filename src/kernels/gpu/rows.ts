/**
 * Kernels over whole rows of channels in WGSL. 2^laneBits neighbouring threads of a workgroup share a row and take four codes
 * of it in turn; what they find they put together in workgroup memory. A kernel comes with 64 threads a workgroup and, for
 * rows so long that 64 threads take many turns, with 256.
 */
import { CODES } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

/** Channels from which a row takes the kernel of 256 threads. */
export const LONG_ROW = 1024

/** Words that every kernel over rows takes. */
export const ROW_WORDS: Words = {
  scaled: ['input', 'output'],
  fixed: ['pixels', 'channels', 'stride', 'laneBits', 'inputSize', 'outputSize', 'outputZeroPoint', 'low', 'high'],
}

/** The same kernel in two sizes, of families of its name and its name with `-long`. A thread has `parts` words of workgroup memory. */
export function rowKernels(
  name: string,
  words: readonly string[],
  parts: number,
  text: (threads: number) => string,
): GpuKernel[] {
  const all = { scaled: ROW_WORDS.scaled, fixed: [...ROW_WORDS.fixed, ...words] }
  return [64, 256].map((threads) => ({
    name: `${name}__plain_${threads}`,
    families: [threads === 64 ? name : `${name}-long`],
    level: 'plain',
    words: all,
    tile: [threads, 1, 1],
    workgroupBytes: 4 * parts * threads,
    threads,
    code: `${bindings(all, 'u32')}${CODES}${ROW}${text(threads)}`,
  }))
}

const ROW = `
// A thread's share of a row: its first element, and the channels begin, begin + step and so on at which fours begin.
struct Row { first: i32, begin: i32, step: i32, turns: i32 }

fn channelOf(row: Row, turn: i32) -> i32 {
  return row.begin + turn * row.step;
}

// Which lanes of a four are codes; the others hold anything.
fn inside(row: Row, turn: i32) -> vec4<bool> {
  let c = channelOf(row, turn);
  return vec4<i32>(c, c + 1, c + 2, c + 3) < vec4<i32>(p.channels);
}

// Fours of the first turns stay in registers; a kernel may put something else in their place.
var<private> kept0: vec4<i32>;
var<private> kept1: vec4<i32>;

fn keep(turn: i32, values: vec4<i32>) {
  if (turn == 0) { kept0 = values; } else if (turn == 1) { kept1 = values; }
}

fn loadCodes(row: Row, turn: i32) -> vec4<i32> {
  return load4(p.input, row.first + channelOf(row, turn), p.inputSize);
}

fn codesOf(row: Row, turn: i32) -> vec4<i32> {
  if (turn == 0) { return kept0; }
  if (turn == 1) { return kept1; }
  return loadCodes(row, turn);
}

fn storeCodes(row: Row, turn: i32, values: vec4<i32>) {
  let codes = clamp(values + vec4<i32>(p.outputZeroPoint), vec4<i32>(p.low), vec4<i32>(p.high));
  store4(p.output, row.first + channelOf(row, turn), p.outputSize, codes);
}
`

/**
 * A function `name(thread, value)` that gives all threads of a row what `combine` makes of their values `a` and `b`, in any
 * order. All threads of the workgroup must come to it.
 */
export function together(threads: number, name: string, type: string, combine: string): string {
  const mask = `${threads - 1}u`
  return `
var<workgroup> ${name}Parts: array<${type}, ${threads}>;
fn ${name}(thread: u32, value: ${type}) -> ${type} {
  let lane = thread & ((1u << u32(p.laneBits)) - 1u);
  ${name}Parts[thread & ${mask}] = value;
  workgroupBarrier();
  for (var half = (1u << u32(p.laneBits)) >> 1u; half > 0u; half = half >> 1u) {
    if (lane < half) {
      let a = ${name}Parts[thread & ${mask}];
      let b = ${name}Parts[(thread + half) & ${mask}];
      ${name}Parts[thread & ${mask}] = ${combine};
    }
    workgroupBarrier();
  }
  let all = ${name}Parts[(thread - lane) & ${mask}];
  workgroupBarrier();
  return all;
}
`
}

/** Largest code of a row, `largestOf(thread, row)`. */
export function largestCode(threads: number): string {
  return `${together(threads, 'largest', 'i32', 'max(a, b)')}
fn largestOf(thread: u32, row: Row) -> i32 {
  var found = vec4<i32>(-32768);
  for (var turn = 0; turn < row.turns; turn++) {
    found = max(found, select(vec4<i32>(-32768), codesOf(row, turn), inside(row, turn)));
  }
  return largest(thread, max(max(found.x, found.y), max(found.z, found.w)));
}
`
}

/**
 * The entry point. The body sees `thread` and its `row`, which has no turns where the dispatch has more rows than there are:
 * all threads must meet at the barriers.
 */
export function rowMain(threads: number, body: string): string {
  return `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.y * groups.x + group.x) * ${threads}u + thread;
  let pixel = i32(index >> u32(p.laneBits));
  let step = 4i << u32(p.laneBits);
  let begin = i32(index << 2u) & (step - 1);
  let end = select(0, p.channels, pixel < p.pixels);
  let turns = (end - begin + step - 1) >> u32(p.laneBits + 2);
  let row = Row((i32(group.z) * p.pixels + pixel) * p.stride, begin, step, turns);
  if (turns > 0) { kept0 = loadCodes(row, 0); }
  if (turns > 1) { kept1 = loadCodes(row, 1); }
${body}}
`
}
