/**
 * The Mersenne Twister MT19937, seeded and read as NumPy's `RandomState(seed)` does it, because ONNX defines its random
 * operators' results by that generator. Nothing else of dyadic draws from it: `src/num/random.ts` is the generator here.
 * Sources: Matsumoto and Nishimura 1998, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random number
 * generator" (recurrence and tempering, section 2; the initialisation is that of their revision of 2002);
 * numpy/random/_legacy_seeding (seeds) and legacy `random_sample` (53 bits out of two words).
 */

const WORDS = 624
const MIDDLE = 397
const TWIST = 0x9908b0df
const UPPER = 0x80000000
const LOWER = 0x7fffffff
/** Knuth's multiplier of the initialisation. */
const MULTIPLIER = 1812433253

/** A generator of doubles in [0, 1), multiples of 2^−53, as `RandomState(seed).uniform()` gives them. `seed` is a uint32. */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(WORDS)
  state[0] = seed
  for (let i = 1; i < WORDS; i++) {
    const before = state[i - 1]
    state[i] = Math.imul(MULTIPLIER, before ^ (before >>> 30)) + i
  }
  let position = WORDS
  const renew = (): void => {
    for (let i = 0; i < WORDS; i++) {
      const joined = (state[i] & UPPER) | (state[(i + 1) % WORDS] & LOWER)
      state[i] = state[(i + MIDDLE) % WORDS] ^ (joined >>> 1) ^ (joined & 1 ? TWIST : 0)
    }
    position = 0
  }
  const word = (): number => {
    if (position === WORDS) renew()
    let tempered = state[position++]
    tempered ^= tempered >>> 11
    tempered ^= (tempered << 7) & 0x9d2c5680
    tempered ^= (tempered << 15) & 0xefc60000
    return (tempered ^ (tempered >>> 18)) >>> 0
  }
  return () => {
    const high = word() >>> 5
    const low = word() >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }
}
