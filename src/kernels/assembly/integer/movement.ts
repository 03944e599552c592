// Strided copies (rule R8): runs of contiguous bytes through four loops, the last one innermost. Steps are in bytes and may
// be negative. Source and target never overlap.
//
// A run is one element (1, 2 or 4 bytes) or several. Runs of 8 bytes and more are copied in vectors; the last vector is
// moved back so that it ends with the run, and some bytes are copied twice.

/** Nine bytes or more. */
@inline
function copyRun(source: usize, target: usize, bytes: i32): void {
  if (bytes >= 256) memory.copy(target, source, bytes)
  else if (bytes >= 16) {
    const last = bytes - 16
    for (let i = 0; i < last; i += 16) v128.store(target + i, v128.load(source + i))
    v128.store(target + last, v128.load(source + last))
  } else {
    const last = bytes - 8
    store<u64>(target, load<u64>(source))
    store<u64>(target + last, load<u64>(source + last))
  }
}

@inline
function copyElements<Element>(source: usize, target: usize, count: i32, sourceStep: i32, targetStep: i32): void {
  for (let i = 0; i < count; i++, source += sourceStep, target += targetStep) store<Element>(target, load<Element>(source))
}

/** Runs of fewer than 8 bytes, by two parts that may overlap. */
@inline
function copyShort<Part>(
  source: usize, target: usize, bytes: i32, count: i32, sourceStep: i32, targetStep: i32,
): void {
  const last = bytes - sizeof<Part>()
  for (let i = 0; i < count; i++, source += sourceStep, target += targetStep) {
    store<Part>(target, load<Part>(source))
    store<Part>(target + last, load<Part>(source + last))
  }
}

export function move(
  source: usize, target: usize, run: i32,
  count0: i32, sourceStep0: i32, targetStep0: i32,
  count1: i32, sourceStep1: i32, targetStep1: i32,
  count2: i32, sourceStep2: i32, targetStep2: i32,
  count3: i32, sourceStep3: i32, targetStep3: i32,
): void {
  for (let i = 0; i < count0; i++, source += sourceStep0, target += targetStep0) {
    let from1 = source, to1 = target
    for (let j = 0; j < count1; j++, from1 += sourceStep1, to1 += targetStep1) {
      let from2 = from1, to2 = to1
      for (let k = 0; k < count2; k++, from2 += sourceStep2, to2 += targetStep2) {
        if (run == 1) copyElements<u8>(from2, to2, count3, sourceStep3, targetStep3)
        else if (run == 2) copyElements<u16>(from2, to2, count3, sourceStep3, targetStep3)
        else if (run == 4) copyElements<u32>(from2, to2, count3, sourceStep3, targetStep3)
        else if (run == 3) copyShort<u16>(from2, to2, run, count3, sourceStep3, targetStep3)
        else if (run < 8) copyShort<u32>(from2, to2, run, count3, sourceStep3, targetStep3)
        else if (run == 8) copyElements<u64>(from2, to2, count3, sourceStep3, targetStep3)
        else {
          let from3 = from2, to3 = to2
          for (let l = 0; l < count3; l++, from3 += sourceStep3, to3 += targetStep3) copyRun(from3, to3, run)
        }
      }
    }
  }
}

/** Bytes of one value. */
export function fillBytes(target: usize, bytes: i32, value: i32): void {
  memory.fill(target, <u8>value, bytes)
}

/** 16-bit codes of one value; whole vectors. */
export function fillHalves(target: usize, bytes: i32, value: i32): void {
  const values = i16x8.splat(<i16>value)
  for (const end = target + bytes; target < end; target += 16) v128.store(target, values)
}
