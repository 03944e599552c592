/**
 * Integer square roots in three families, all of 0 … 2^32 − 1 and beyond.
 *
 * `shift`: ten Newton steps from 2^16, whatever the argument (code of I-ViT, ICCV 2023): floor(√v) or one more from 34,596
 * on, too large below. `poly`: Newton steps from a power of two until they stop falling (I-BERT, ICML 2021, algorithm 4):
 * floor(√v) always. `table`: a looked-up first digit, one step, one correction: floor(√v) always, with one division.
 */
import { floorDivide } from './integer-division.ts'

/** The definition of the shift family's root: ten steps from 2^16. */
export function shiftSquareRootExact(value: bigint): bigint {
  let root = 1n << 16n
  for (let step = 0; step < 10; step++) root = (root + value / root) >> 1n
  return root
}

/** {@link shiftSquareRootExact} for a safe integer ≥ 0. */
export function shiftSquareRoot(value: number): number {
  let root = 2 ** 16
  for (let step = 0; step < 10; step++) root = floorDivide(root + floorDivide(value, root), 2)
  return root
}

/** floor(√value), by Newton steps from 2^ceil(bits / 2): the definition of the polynomial family's root. */
export function squareRootExact(value: bigint): bigint {
  if (value === 0n) return 0n
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** {@link squareRootExact} for a safe integer ≥ 0. */
export function squareRoot(value: number): number {
  if (value === 0) return 0
  const high = floorDivide(value, 2 ** 32)
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value)
  let root = 2 ** ((bits + 1) >> 1)
  for (;;) {
    const next = floorDivide(root + floorDivide(value, root), 2)
    if (next >= root) return root
    root = next
  }
}

/** floor(16 × √byte) for the leading bytes 64 … 255. */
const FIRST_DIGITS = Uint8Array.from({ length: 192 }, (_, i) => squareRoot((i + 64) * 256))

/**
 * floor(√value) for a uint32: the leading byte (after an even shift) gives 8 bits of the root by table, one Newton step 16,
 * and one comparison removes what that step may give too much.
 */
export function tableSquareRoot(value: number): number {
  if (value === 0) return 0
  const shift = Math.clz32(value) & ~1
  const normal = (value << shift) >>> 0
  // Within 2^8 of the root and above 2^15, so a Newton step from it is too large by at most 2^16 / 2^16 = 1.
  const first = (FIRST_DIGITS[(normal >>> 24) - 64] + 1) * 256
  let root = (first + floorDivide(normal, first)) >>> 1
  if (root * root > normal) root -= 1
  return root >>> (shift >> 1)
}
