// s8 or s16 [height][width][stride] -> i16 [top+height+bottom][left+width+right][channels], zero points subtracted, padding 0.
// Channels are compact in the target. When they are no multiple of 8, each store writes up to seven lanes too many:
// later stores (the next pixel, the right padding, the next row) overwrite them, and 16 slack bytes stand at the end.
@inline
function load8<Code>(source: usize): v128 {
  return sizeof<Code>() == 1 ? v128.load_ext<i8>(source) : v128.load(source)
}

@inline
function widenCodes<Code>(
  source: usize, target: usize, zeroPoints: usize,
  height: i32, width: i32, channels: i32, stride: i32,
  top: i32, left: i32, bottom: i32, right: i32,
): void {
  const row = (left + width + right) * channels * 2
  const leftBytes = left * channels * 2
  const rightBytes = right * channels * 2
  memory.fill(target, 0, top * row)
  target += top * row
  for (let y = 0; y < height; y++) {
    memory.fill(target, 0, leftBytes)
    target += leftBytes
    if (channels == stride) {
      if (channels == 8) {
        const zero = v128.load(zeroPoints)
        for (const end = source + width * 8 * sizeof<Code>(); source < end; source += 8 * sizeof<Code>(), target += 16)
          v128.store(target, i16x8.sub(load8<Code>(source), zero))
      } else {
        for (let x = 0; x < width; x++) {
          let zero = zeroPoints
          for (const end = source + stride * sizeof<Code>(); source < end; source += 8 * sizeof<Code>(), target += 16, zero += 16)
            v128.store(target, i16x8.sub(load8<Code>(source), v128.load(zero)))
        }
      }
    } else {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c += 8)
          v128.store(target + c * 2, i16x8.sub(load8<Code>(source + c * sizeof<Code>()), v128.load(zeroPoints + c * 2)))
        source += stride * sizeof<Code>()
        target += channels * 2
      }
    }
    memory.fill(target, 0, rightBytes)
    target += rightBytes
  }
  memory.fill(target, 0, bottom * row + 16)
}

export function widen(
  source: usize, target: usize, zeroPoints: usize,
  height: i32, width: i32, channels: i32, stride: i32,
  top: i32, left: i32, bottom: i32, right: i32,
): void {
  widenCodes<i8>(source, target, zeroPoints, height, width, channels, stride, top, left, bottom, right)
}

export function widen16(
  source: usize, target: usize, zeroPoints: usize,
  height: i32, width: i32, channels: i32, stride: i32,
  top: i32, left: i32, bottom: i32, right: i32,
): void {
  widenCodes<i16>(source, target, zeroPoints, height, width, channels, stride, top, left, bottom, right)
}
