// Start-up: s8 weight codes -> i16 weights without zero point, in place. A panel is [pairs][8 channels][2] values; the
// codes lie in the second half of their own i16 region and are consumed faster than they are overwritten.
export function unpackWeights(region: usize, panels: i32, pairs: i32, zeroPoints: usize, zeroPointStep: i32): void {
  let source = region + panels * pairs * 16
  for (let panel = 0; panel < panels; panel++) {
    const zero0 = v128.load(zeroPoints)
    const zero1 = v128.load(zeroPoints, 16)
    for (const end = source + pairs * 16; source < end; source += 16, region += 32) {
      const codes = v128.load(source)
      v128.store(region, i16x8.sub(i16x8.extend_low_i8x16_s(codes), zero0))
      v128.store(region, i16x8.sub(i16x8.extend_high_i8x16_s(codes), zero1), 16)
    }
    zeroPoints += zeroPointStep
  }
}

/**
 * The same for codes of 4 bits: a row of [8 channels][2] codes takes 8 bytes at the end of the region, codes 0-7 in the low
 * halves, 8-15 in the high ones.
 */
export function unpackNibbles(region: usize, panels: i32, pairs: i32, zeroPoints: usize, zeroPointStep: i32): void {
  let source = region + panels * pairs * 24
  for (let panel = 0; panel < panels; panel++) {
    const zero0 = v128.load(zeroPoints)
    const zero1 = v128.load(zeroPoints, 16)
    for (const end = source + pairs * 8; source < end; source += 8, region += 32) {
      const codes = v128.load_ext<i8>(source)
      v128.store(region, i16x8.sub(i16x8.shr_s(i16x8.shl(codes, 12), 12), zero0))
      v128.store(region, i16x8.sub(i16x8.shr_s(codes, 4), zero1), 16)
    }
    zeroPoints += zeroPointStep
  }
}

/**
 * Unpacked weights times the factors of their groups (R12). `factors` are [panel][group][8 channels] bytes; a group is
 * `size` consecutive ones of the runs * length weights of a channel, runs padded to pairs. The factor read for padding is
 * any byte: the weight there is 0.
 */
export function scaleWeights(
  region: usize, panels: i32, runs: i32, length: i32, factors: usize, groups: i32, size: i32,
): void {
  for (let panel = 0; panel < panels; panel++, factors += groups * 8) {
    let group = factors, within = 0
    for (let run = 0; run < runs; run++) {
      for (let k = 0; k < length; k += 2, region += 32) {
        const even = v128.load64_zero(group)
        if (++within == size) { within = 0; group += 8 }
        const odd = v128.load64_zero(group)
        if (k + 1 < length && ++within == size) { within = 0; group += 8 }
        const both = i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
        v128.store(region, i16x8.mul(v128.load(region), i16x8.extend_low_i8x16_u(both)))
        v128.store(region, i16x8.mul(v128.load(region, 16), i16x8.extend_high_i8x16_u(both)), 16)
      }
    }
  }
}
