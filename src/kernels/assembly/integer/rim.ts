// Between the program's inputs and outputs (compact, ONNX order) and stored NHWC tensors.

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
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) store<u8>(target + c, load<u8>(source + c) ^ flip)
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
    for (let i = 0; i < inner; i++) {
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
