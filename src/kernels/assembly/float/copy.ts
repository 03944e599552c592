/** Moving and filling float32 data: every change of layout, slice, padding and concatenation is one strided copy. */

/**
 * Copies a block of n0 × n1 × n2 × n3 floats; `s` strides (source) and `t` strides (target) are in bytes and may be
 * negative or 0. The two blocks must not overlap.
 */
export function copyBlock(
  source: usize, target: usize, n0: i32, n1: i32, n2: i32, n3: i32,
  s0: isize, s1: isize, s2: isize, s3: isize, t0: isize, t1: isize, t2: isize, t3: isize,
): void {
  const contiguous = s3 == 4 && t3 == 4
  const vectorBytes = contiguous ? (<usize>n3 << 2) & ~15 : 0
  const rest = contiguous ? n3 & 3 : n3
  for (let i0 = 0; i0 < n0; i0++, source += s0, target += t0) {
    let from1 = source, to1 = target
    for (let i1 = 0; i1 < n1; i1++, from1 += s1, to1 += t1) {
      let from2 = from1, to2 = to1
      for (let i2 = 0; i2 < n2; i2++, from2 += s2, to2 += t2) {
        let from = from2, to = to2
        for (const end = from + vectorBytes; from < end; from += 16, to += 16) v128.store(to, v128.load(from))
        for (let i3 = 0; i3 < rest; i3++, from += s3, to += t3) store<f32>(to, load<f32>(from))
      }
    }
  }
}

/** Fills `rows` runs of `count` floats whose starts are `stride` bytes apart. */
export function fillRows(target: usize, rows: i32, count: i32, stride: usize, value: f32): void {
  const filled = f32x4.splat(value)
  for (let row = 0; row < rows; row++, target += stride) {
    let to = target
    const end = target + (<usize>count << 2), vectorEnd = target + ((<usize>count << 2) & ~15)
    for (; to < vectorEnd; to += 16) v128.store(to, filled)
    for (; to < end; to += 4) store<f32>(to, value)
  }
}
