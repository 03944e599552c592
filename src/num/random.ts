/**
 * Counter-based random numbers: every number is a pure function of (seed, stream, counter), so there is no state to
 * carry, samples can be drawn in any order and in parallel, and all hosts agree to the bit.
 *
 * The function is Philox-4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
 * section 3.2): ten rounds of two 32×32→64-bit products over a 128-bit counter and a 64-bit key. The key is the seed,
 * counter words 2 and 3 are the stream, words 0 and 1 number the blocks of four words inside the stream. It is not for
 * secrets.
 */
import { DyadicError } from '../error.ts'

const ROUNDS = 10
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
/** Golden ratio and √3 − 1 as 32-bit fractions: the steps of the key between rounds. */
const KEY_STEP_0 = 0x9e3779b9
const KEY_STEP_1 = 0xbb67ae85

/** The upper 32 bits (unsigned) of the 64-bit product of two uint32. */
function multiplyHighUint32(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  // Each sum is at most (2^16 − 1)² + 2^16 − 1 < 2^32, so nothing is lost before it is split again.
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16)
  const cross = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) >>> 0
}

/**
 * One Philox-4x32-10 block: writes four uint32 to `out[at..at+3]`. `counter` has four words and `key` two, least
 * significant first; both are taken modulo 2^32.
 */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array, at = 0): void {
  let word0 = counter[0]! >>> 0
  let word1 = counter[1]! >>> 0
  let word2 = counter[2]! >>> 0
  let word3 = counter[3]! >>> 0
  let key0 = key[0]! >>> 0
  let key1 = key[1]! >>> 0
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHighUint32(MULTIPLIER_0, word0)
    const low0 = Math.imul(MULTIPLIER_0, word0) >>> 0
    const high1 = multiplyHighUint32(MULTIPLIER_1, word2)
    const low1 = Math.imul(MULTIPLIER_1, word2) >>> 0
    word0 = (high1 ^ word1 ^ key0) >>> 0
    word1 = low1
    word2 = (high0 ^ word3 ^ key1) >>> 0
    word3 = low0
    key0 = (key0 + KEY_STEP_0) >>> 0
    key1 = (key1 + KEY_STEP_1) >>> 0
  }
  out[at] = word0
  out[at + 1] = word1
  out[at + 2] = word2
  out[at + 3] = word3
}

/**
 * Fills `out` with the numbers `first`, `first + 1`, … of a stream: `out[i] = randomUint32(seed, stream, first + i)`,
 * four for the price of one.
 * `seed`, `stream` and every counter are integers in 0..2^53 − 1; anything else throws `usage`.
 */
export function fillRandomUint32(seed: number, stream: number, first: number, out: Uint32Array): void {
  requireCounter('seed', seed)
  requireCounter('stream', stream)
  requireCounter('counter', first)
  if (out.length > 0) requireCounter('counter', first + (out.length - 1))
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)]
  const counter = [0, 0, stream >>> 0, Math.floor(stream / 2 ** 32)]
  const block = new Uint32Array(4)
  let at = 0
  while (at < out.length) {
    const position = first + at
    const word = position % 4
    const blockNumber = (position - word) / 4
    counter[0] = blockNumber >>> 0
    counter[1] = Math.floor(blockNumber / 2 ** 32)
    if (word === 0 && at + 4 <= out.length) {
      philox4x32(counter, key, out, at)
      at += 4
    } else {
      philox4x32(counter, key, block)
      for (let i = word; i < 4 && at < out.length; i++) out[at++] = block[i]!
    }
  }
}

/**
 * Number `counter` of stream `stream` under `seed`: an integer in 0..2^32 − 1, all equally likely.
 * All three arguments are integers in 0..2^53 − 1; anything else throws `usage`.
 */
export function randomUint32(seed: number, stream: number, counter: number): number {
  const out = new Uint32Array(1)
  fillRandomUint32(seed, stream, counter, out)
  return out[0]!
}

/**
 * An integer in 0..n − 1 from the one number (seed, stream, counter): ⌊randomUint32 · n / 2^32⌋. `n` is an integer in
 * 1..2^32 − 1, otherwise `usage` is thrown. The probability of each result differs from 1/n by less than 2^−32; the
 * fixed use of one number per draw is worth more here than removing that.
 */
export function randomBelow(seed: number, stream: number, counter: number, n: number): number {
  return scaleUint32(randomUint32(seed, stream, counter), n)
}

/** ⌊word · n / 2^32⌋: maps a random uint32 to 0..n − 1 as {@link randomBelow} does. Throws `usage` for a wrong `n`. */
export function scaleUint32(word: number, n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > 0xffffffff)
    throw new DyadicError('usage', `a random number below ${n} was asked for; the bound must be in 1..2^32 − 1`)
  return multiplyHighUint32(word, n)
}

function requireCounter(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new DyadicError('usage', `the random ${what} is ${value}; it must be an integer in 0..2^53 − 1`)
}
