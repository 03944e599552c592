// Strided selection with fill (rule R8). Steps are in bytes; the destination is filled first.
export function select(
  source: usize, target: usize, targetBytes: i32, fill: i32,
  rows: i32, columns: i32, channels: i32,
  sourceRowStep: i32, sourceColumnStep: i32, sourceChannelStep: i32, targetRowStep: i32, targetColumnStep: i32,
  sourceStart: i32, targetStart: i32,
): void {
  memory.fill(target, <u8>fill, targetBytes)
  source += sourceStart
  target += targetStart
  for (let y = 0; y < rows; y++) {
    let from = source, to = target
    for (let x = 0; x < columns; x++) {
      if (sourceChannelStep == 1) memory.copy(to, from, channels)
      else for (let c = 0, p = from; c < channels; c++, p += sourceChannelStep) store<u8>(to + c, load<u8>(p))
      from += sourceColumnStep
      to += targetColumnStep
    }
    source += sourceRowStep
    target += targetRowStep
  }
}
