/**
 * How a product of matrices finds the rows of its left operand in the arena, in units of `words` 32-bit words. A dense row
 * lies there as it is. A row of a sliding window is gathered: a table of taps, one entry per 8 bytes of depth, says how far
 * from the window's first pixel the unit lies; units outside the image are the zero points, so that padding counts as 0.
 * Rows behind the last one repeat it.
 */

/** Which left operand a product takes. */
export interface LeftOperand {
  /** Rows lie in the arena as they are, else they are windows. */
  readonly dense: boolean
  /** Weights have offsets, which takes the sums of the rows. */
  readonly offset: boolean
}

/** The family of products that take an operand, before its unit. */
export function leftName({ dense, offset }: LeftOperand): string {
  return `${dense ? 'dense' : 'window'}${offset ? '-offset' : ''}`
}

/** WGSL of `Row`, `rowOf(m)` and `fetch(row, unit)`. `zero` gives a unit of zero points by its index. */
export function rowReader(dense: boolean, words: 2 | 4): string {
  const unit = `vec${words}<u32>`
  const shift = words === 2 ? '1u' : '2u'
  if (dense)
    return `
alias Row = i32;
fn rowOf(m: i32) -> Row {
  return (p.input >> ${shift}) + min(m, p.rows - 1) * (p.inputStride >> ${words === 2 ? '3u' : '4u'});
}
fn fetch(row: Row, unit: i32) -> ${unit} {
  return arena[row + unit];
}
`
  const zero =
    words === 2
      ? `let zeros = bitcast<vec4<u32>>(constants[p.zeroPoints + (tap.w >> 1u)]);
  return select(zeros.xy, zeros.zw, (tap.w & 1) == 1);`
      : 'return bitcast<vec4<u32>>(constants[p.zeroPoints + (tap.w >> 1u)]);'
  return `
alias Row = vec3<i32>;
fn rowOf(m: i32) -> Row {
  let row = min(m, p.rows - 1);
  let image = row / p.outputPixels;
  let pixel = row % p.outputPixels;
  let y = (pixel / p.outputWidth) * p.strideY - p.padTop;
  let x = (pixel % p.outputWidth) * p.strideX - p.padLeft;
  let first = p.input + image * p.inputImage + (y * p.inputWidth + x) * (p.inputStride >> 2u);
  return Row(first >> ${shift}, y, x);
}
fn fetch(row: Row, unit: i32) -> ${unit} {
  let tap = constants[p.taps + ${words === 2 ? 'unit' : '2 * unit'}];
  let y = row.y + tap.y;
  let x = row.z + tap.z;
  if (y >= 0 && y < p.inputHeight && x >= 0 && x < p.inputWidth) {
    return arena[row.x + ${words === 2 ? 'tap.x' : '(tap.x >> 1u)'}];
  }
  ${zero}
}
`
}
