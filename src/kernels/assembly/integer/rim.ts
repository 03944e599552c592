// Between the program's inputs and outputs (compact, ONNX order) and stored NHWC tensors.

@inline
function copyFlipped(source: usize, target: usize, length: i32, flip: i32): void {
  const mask = i8x16.splat(<i8>flip)
  const end = source + length
  for (const whole = source + (length & -8); source < whole; source += 8, target += 8)
    v128.store64_lane(target, v128.xor(v128.load64_zero(source), mask), 0)
  for (; source < end; source++, target++) store<u8>(target, load<u8>(source) ^ flip)
}

/** Planes [channels][pixels] -> [pixels][stride]; every byte is xored with `flip` (0x80 turns u8 into s8 - 128). */
export function importPlanes(source: usize, target: usize, pixels: i32, channels: i32, stride: i32, flip: i32): void {
  for (let c = 0; c < channels; c++) {
    let to = target + c
    const end = source + pixels
    while (source < end) {
      store<u8>(to, load<u8>(source) ^ flip)
      source += 1
      to += stride
    }
  }
}

/** Pixels [pixels][channels] -> [pixels][stride]. */
export function importPixels(source: usize, target: usize, pixels: i32, channels: i32, stride: i32, flip: i32): void {
  if (channels == stride) {
    copyFlipped(source, target, pixels * channels, flip)
    return
  }
  for (let p = 0; p < pixels; p++) {
    copyFlipped(source, target, channels, flip)
    source += channels
    target += stride
  }
}

/** [pixels][stride] -> [channels][pixels] bytes; with pixels and channels exchanged by the caller it also writes NHWC. */
export function exportPlanes(
  source: usize, target: usize, outer: i32, inner: i32, outerStep: i32, innerStep: i32, flip: i32,
): void {
  for (let o = 0; o < outer; o++) {
    let from = source
    if (innerStep == 1) {
      copyFlipped(from, target, inner, flip)
      target += inner
    } else for (let i = 0; i < inner; i++) {
      store<u8>(target, load<u8>(from) ^ flip)
      target += 1
      from += innerStep
    }
    source += outerStep
  }
}

/** The same for int32 tensors; steps are in bytes. */
export function exportPlanes32(
  source: usize, target: usize, outer: i32, inner: i32, outerStep: i32, innerStep: i32,
): void {
  for (let o = 0; o < outer; o++) {
    let from = source
    for (let i = 0; i < inner; i++) {
      store<i32>(target, load<i32>(from))
      target += 4
      from += innerStep
    }
    source += outerStep
  }
}
