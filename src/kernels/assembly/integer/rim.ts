// Between the program's inputs and outputs (compact, ONNX order) and stored NHWC tensors. Every byte is xored with `flip`:
// 0x80 turns u8 into s8 - 128 and back.

/** Rows of bytes from one step to another. */
export function copyCodes(
  source: usize, sourceStep: i32, target: usize, targetStep: i32, rows: i32, length: i32, flip: i32,
): void {
  const mask = i8x16.splat(<i8>flip)
  // Rows that follow each other without gaps are one row.
  if (sourceStep == length && targetStep == length) {
    length *= rows
    rows = 1
  }
  for (let r = 0; r < rows; r++) {
    let from = source, to = target
    const end = from + length
    for (const whole = from + (length & -8); from < whole; from += 8, to += 8)
      v128.store64_lane(to, v128.xor(v128.load64_zero(from), mask), 0)
    for (; from < end; from++, to++) store<u8>(to, load<u8>(from) ^ flip)
    source += sourceStep
    target += targetStep
  }
}

@inline
function interleave8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}
@inline
function interleaveLow16(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
}
@inline
function interleaveHigh16(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
}
@inline
function interleaveLow32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
}
@inline
function interleaveHigh32(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
}

/** An 8 x 8 block of bytes: rows become columns. */
@inline
function transposeBlock(source: usize, sourceStep: i32, target: usize, targetStep: i32, mask: v128): void {
  let p = source
  const r0 = v128.load64_zero(p)
  p += sourceStep
  const t0 = v128.xor(interleave8(r0, v128.load64_zero(p)), mask)
  p += sourceStep
  const r2 = v128.load64_zero(p)
  p += sourceStep
  const t1 = v128.xor(interleave8(r2, v128.load64_zero(p)), mask)
  p += sourceStep
  const r4 = v128.load64_zero(p)
  p += sourceStep
  const t2 = v128.xor(interleave8(r4, v128.load64_zero(p)), mask)
  p += sourceStep
  const r6 = v128.load64_zero(p)
  p += sourceStep
  const t3 = v128.xor(interleave8(r6, v128.load64_zero(p)), mask)
  const u0 = interleaveLow16(t0, t1), u1 = interleaveHigh16(t0, t1)
  const u2 = interleaveLow16(t2, t3), u3 = interleaveHigh16(t2, t3)
  let columns = interleaveLow32(u0, u2)
  v128.store64_lane(target, columns, 0)
  target += targetStep
  v128.store64_lane(target, columns, 1)
  target += targetStep
  columns = interleaveHigh32(u0, u2)
  v128.store64_lane(target, columns, 0)
  target += targetStep
  v128.store64_lane(target, columns, 1)
  target += targetStep
  columns = interleaveLow32(u1, u3)
  v128.store64_lane(target, columns, 0)
  target += targetStep
  v128.store64_lane(target, columns, 1)
  target += targetStep
  columns = interleaveHigh32(u1, u3)
  v128.store64_lane(target, columns, 0)
  target += targetStep
  v128.store64_lane(target, columns, 1)
}

/** Three rows of 8 bytes to 8 columns: the channels of a picture. */
@inline
function transposeThree(source: usize, sourceStep: i32, target: usize, targetStep: i32, mask: v128): void {
  const second = source + sourceStep, third = second + sourceStep
  const pairs = v128.xor(interleave8(v128.load64_zero(source), v128.load64_zero(second)), mask)
  const last = v128.xor(v128.load64_zero(third), mask)
  v128.store16_lane(target, pairs, 0)
  v128.store8_lane(target, last, 0, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 1)
  v128.store8_lane(target, last, 1, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 2)
  v128.store8_lane(target, last, 2, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 3)
  v128.store8_lane(target, last, 3, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 4)
  v128.store8_lane(target, last, 4, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 5)
  v128.store8_lane(target, last, 5, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 6)
  v128.store8_lane(target, last, 6, 2)
  target += targetStep
  v128.store16_lane(target, pairs, 7)
  v128.store8_lane(target, last, 7, 2)
}

/** target[column * targetStep + row] = source[row * sourceStep + column], in blocks of 8 columns by 8 or 3 rows and single bytes at the edges. */
export function transposeCodes(
  source: usize, sourceStep: i32, target: usize, targetStep: i32, rows: i32, columns: i32, flip: i32,
): void {
  const mask = i8x16.splat(<i8>flip)
  const wholeRows = rows & -8, wholeColumns = columns & -8
  for (let r = 0; r < wholeRows; r += 8) {
    for (let c = 0; c < wholeColumns; c += 8)
      transposeBlock(source + r * sourceStep + c, sourceStep, target + c * targetStep + r, targetStep, mask)
  }
  let blockRows = wholeRows
  if (rows - wholeRows == 3) {
    for (let c = 0; c < wholeColumns; c += 8)
      transposeThree(source + wholeRows * sourceStep + c, sourceStep, target + c * targetStep + wholeRows, targetStep, mask)
    blockRows = rows
  }
  for (let r = 0; r < rows; r++) {
    const first = r < blockRows ? wholeColumns : 0
    let from = source + r * sourceStep + first, to = target + first * targetStep + r
    for (const end = from + (columns - first); from < end; from++, to += targetStep)
      store<u8>(to, load<u8>(from) ^ flip)
  }
}
