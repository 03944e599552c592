/**
 * Words of four signed bytes from stored codes, for products four at a time. A 16-bit code is 256 · high + low + 128 with two
 * signed bytes; so a product of 16-bit codes less their zero point is a product of each plane, and 128 goes to the zero point.
 * Codes behind the end of a row become bytes of 0 in every plane: they count neither in products nor in sums.
 */
import { DOT4 } from './byte-products.ts'
import type { GpuLevel } from './kernel.ts'

/** What is taken off the zero point of an operand whose codes have this many bits. */
export function planeOffset(bits: 8 | 16): number {
  return bits === 16 ? 128 : 0
}

/** `low` and `high` of four codes, `keep` of the bytes before an end, and `turn`, which swaps four words and their bytes. */
export const PLANES = `
fn low(halves: vec2<u32>) -> u32 {
  let a = (halves.x & 0xffu) | ((halves.x >> 8u) & 0xff00u);
  let b = (halves.y & 0xffu) | ((halves.y >> 8u) & 0xff00u);
  return (a | (b << 16u)) ^ 0x80808080u;
}

fn high(halves: vec2<u32>) -> u32 {
  let a = ((halves.x >> 8u) & 0xffu) | ((halves.x >> 16u) & 0xff00u);
  let b = ((halves.y >> 8u) & 0xffu) | ((halves.y >> 16u) & 0xff00u);
  return a | (b << 16u);
}

fn keep(rest: i32) -> u32 {
  return select((1u << (8u * u32(clamp(rest, 0, 3)))) - 1u, 0xffffffffu, rest >= 4);
}

fn turn(a: u32, b: u32, c: u32, d: u32) -> vec4<u32> {
  let evenTop = (a & 0x00ff00ffu) | ((b & 0x00ff00ffu) << 8u);
  let oddTop = ((a >> 8u) & 0x00ff00ffu) | (b & 0xff00ff00u);
  let evenBottom = (c & 0x00ff00ffu) | ((d & 0x00ff00ffu) << 8u);
  let oddBottom = ((c >> 8u) & 0x00ff00ffu) | (d & 0xff00ff00u);
  return vec4<u32>(
    (evenTop & 0xffffu) | (evenBottom << 16u),
    (oddTop & 0xffffu) | (oddBottom << 16u),
    (evenTop >> 16u) | (evenBottom & 0xffff0000u),
    (oddTop >> 16u) | (oddBottom & 0xffff0000u),
  );
}
`

/** `dot4` of two words by the level, of a word and four (`products`), and of four words and ones (`sums`). Needs PACK. */
export function byteProducts(level: Exclude<GpuLevel, 'matrix'>): string {
  return `${DOT4[level]}
fn products(a: u32, b: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4(a, b.x), dot4(a, b.y), dot4(a, b.z), dot4(a, b.w));
}

fn sums(a: vec4<u32>) -> vec4<i32> {
  return products(0x01010101u, a);
}
`
}
