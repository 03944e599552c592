/**
 * Reading and writing stored codes in an arena of 32-bit words, four at a time. `size` is the binary logarithm of a code's
 * bytes: 0, 1, 2 for s8, s16, s32. Elements count from the tensor's first word.
 */

/** Four codes in as many bytes, halves or words. */
export const PACK = `
fn packBytes(v: vec4<i32>) -> u32 {
  let b = bitcast<vec4<u32>>(v) & vec4<u32>(255u);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

fn packHalves(low: i32, high: i32) -> u32 {
  return (bitcast<u32>(low) & 0xffffu) | (bitcast<u32>(high) << 16u);
}

fn unpackBytes(word: u32) -> vec4<i32> {
  let w = bitcast<i32>(word);
  return vec4<i32>(w << 24u, w << 16u, w << 8u, w) >> vec4<u32>(24u);
}

fn unpackHalves(low: u32, high: u32) -> vec4<i32> {
  let a = bitcast<i32>(low);
  let b = bitcast<i32>(high);
  return vec4<i32>(a << 16u, a, b << 16u, b) >> vec4<u32>(16u);
}
`

/** For kernels that see the arena as words. Elements of `load4` and `store4` are multiples of 4. */
export const CODES = `${PACK}
fn load4(base: i32, element: i32, size: i32) -> vec4<i32> {
  let at = base + ((element << u32(size)) >> 2u);
  if (size == 0) {
    return unpackBytes(arena[at]);
  }
  if (size == 1) {
    return unpackHalves(arena[at], arena[at + 1]);
  }
  return bitcast<vec4<i32>>(vec4<u32>(arena[at], arena[at + 1], arena[at + 2], arena[at + 3]));
}

fn store4(base: i32, element: i32, size: i32, v: vec4<i32>) {
  let at = base + ((element << u32(size)) >> 2u);
  if (size == 0) {
    arena[at] = packBytes(v);
  } else if (size == 1) {
    arena[at] = packHalves(v.x, v.y);
    arena[at + 1] = packHalves(v.z, v.w);
  } else {
    arena[at] = bitcast<u32>(v.x);
    arena[at + 1] = bitcast<u32>(v.y);
    arena[at + 2] = bitcast<u32>(v.z);
    arena[at + 3] = bitcast<u32>(v.w);
  }
}

fn load(base: i32, element: i32, size: i32) -> i32 {
  let byte = element << u32(size);
  let word = bitcast<i32>(arena[base + (byte >> 2u)]);
  let bits = 8i << u32(size);
  return extractBits(word, u32(byte & 3) * 8u, u32(bits));
}

fn constant(index: i32) -> i32 {
  return constants[index >> 2u][index & 3];
}
`

/** Index of the thread among all of its image; dispatches of more workgroups than one dimension holds go on in y. */
export const THREAD = `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = i32(id.y * groups.x * 64u + id.x);
  let image = i32(id.z);
`
