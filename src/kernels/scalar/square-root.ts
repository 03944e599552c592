/** Square roots of integers without a division. */

/** floor(√(high × 2^32 + low)) for two words of 32 bits, by digits: two bits of the argument give one of the root. */
export function floorSquareRoot(high: number, low: number): number {
  let root = 0
  let remainder = 0
  for (let place = 30; place >= -32; place -= 2) {
    remainder = remainder * 4 + ((place >= 0 ? high >>> place : low >>> (place + 32)) & 3)
    const trial = root * 4 + 1
    const digit = remainder >= trial
    root = root * 2 + (digit ? 1 : 0)
    if (digit) remainder -= trial
  }
  return root
}

/** The two 32-bit words of 0 ≤ value < 2^64. */
export function words(value: bigint): [high: number, low: number] {
  const [low, high] = new Uint32Array(BigUint64Array.of(value).buffer)
  return [high, low]
}
