/** Products of four signed bytes and four in WGSL, by level: with the instruction, or one by one. Needs PACK. */
import type { GpuLevel } from './kernel.ts'

export const DOT4: Readonly<Record<Exclude<GpuLevel, 'matrix'>, string>> = {
  dot4: `
fn dot4(a: u32, b: u32) -> i32 {
  return dot4I8Packed(a, b);
}
`,
  plain: `
fn dot4(a: u32, b: u32) -> i32 {
  let products = unpackBytes(a) * unpackBytes(b);
  return products.x + products.y + products.z + products.w;
}
`,
}

/** Of sixteen; needs DOT4. */
export const DOT16 = `
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return dot4(a.x, b.x) + dot4(a.y, b.y) + dot4(a.z, b.z) + dot4(a.w, b.w);
}
`
