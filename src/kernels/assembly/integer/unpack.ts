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
