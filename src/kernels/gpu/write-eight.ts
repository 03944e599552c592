/**
 * How a product of matrices ends for eight channels of a row: the residual is read, sums become codes, codes are stored. For
 * kernels that see the arena in units of two words.
 */

/**
 * `write8(unit, four, first, second)`: `unit` counts the output's eights of channels, `four` its fours of constants. Needs
 * PACK, REQUANTIZE and FINISH.
 */
export const WRITE_EIGHT = `
fn write8(unit: i32, four: i32, first: vec4<i32>, second: vec4<i32>) {
  var before = vec4<i32>();
  var after = vec4<i32>();
  if (hasResidual != 0) {
    let origin = p.residual >> 1u;
    if (outputSize == 0) {
      let codes = arena[origin + unit];
      before = unpackBytes(codes.x);
      after = unpackBytes(codes.y);
    } else {
      let low = arena[origin + 2 * unit];
      let high = arena[origin + 2 * unit + 1];
      before = unpackHalves(low.x, low.y);
      after = unpackHalves(high.x, high.y);
    }
  }
  let a = finish(first, four, before);
  let b = finish(second, four + 1, after);
  let to = p.output >> 1u;
  if (outputSize == 0) {
    arena[to + unit] = vec2<u32>(packBytes(a), packBytes(b));
  } else if (outputSize == 1) {
    arena[to + 2 * unit] = vec2<u32>(packHalves(a.x, a.y), packHalves(a.z, a.w));
    arena[to + 2 * unit + 1] = vec2<u32>(packHalves(b.x, b.y), packHalves(b.z, b.w));
  } else {
    arena[to + 4 * unit] = bitcast<vec2<u32>>(a.xy);
    arena[to + 4 * unit + 1] = bitcast<vec2<u32>>(a.zw);
    arena[to + 4 * unit + 2] = bitcast<vec2<u32>>(b.xy);
    arena[to + 4 * unit + 3] = bitcast<vec2<u32>>(b.zw);
  }
}
`
