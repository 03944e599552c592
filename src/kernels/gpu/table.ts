/**
 * Tables in WGSL (R7): every code of 8 bits becomes the word that the table holds for it. A workgroup brings the table to its own
 * memory, so each of its threads takes four fours of codes, 64 fours apart.
 */
import { CODES } from './codes.ts'
import { bindings, type GpuKernel, type Words } from './kernel.ts'

const THREADS = 64
/** Fours of codes that a thread takes. */
const TURNS = 4

const WORDS: Words = { scaled: ['input', 'output'], fixed: ['elements', 'outputSize', 'table'] }

export const table: GpuKernel = {
  name: 'table__plain',
  families: ['table'],
  level: 'plain',
  words: WORDS,
  tile: [THREADS * TURNS, 1, 1],
  workgroupBytes: 1024,
  threads: THREADS,
  code: `${bindings(WORDS, 'u32')}${CODES}
var<workgroup> entries: array<vec4<i32>, 64>;

fn entry(code: i32) -> i32 {
  let at = u32(code + 128) & 255u;
  return entries[at >> 2u][at & 3u];
}

@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  entries[thread] = constants[p.table + i32(thread)];
  workgroupBarrier();
  let first = i32((group.y * groups.x + group.x) * ${THREADS * TURNS}u + thread);
  let image = i32(group.z);
  for (var turn = 0i; turn < ${TURNS}; turn++) {
    let element = 4 * (first + turn * ${THREADS});
    if (element < p.elements) {
      let codes = load4(p.input, image * p.elements + element, 0);
      let made = vec4<i32>(entry(codes.x), entry(codes.y), entry(codes.z), entry(codes.w));
      store4(p.output, image * p.elements + element, p.outputSize, made);
    }
  }
}
`,
}
