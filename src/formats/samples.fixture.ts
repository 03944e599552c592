/** Samples of the distributions that the papers measure on, from the counter-based generator; tests and benches only. */
import { fillRandomUint32 } from '../num/random.ts'

export type Distribution =
  | 'gaussian'
  | 'laplace'
  | 'uniform'
  | 'student3'
  | 'student4'
  | 'half-gaussian'
  | 'exponential'

/** `count` independent samples of unit scale; the stream numbers the draws of one sample. */
export function samples(distribution: Distribution, count: number, seed = 1): Float64Array {
  const draw = (stream: number): Float64Array => {
    const words = new Uint32Array(count)
    fillRandomUint32(seed, stream, 0, words)
    // (0, 1), never an end.
    return Float64Array.from(words, (word) => (word + 0.5) / 2 ** 32)
  }
  const first = draw(0)
  if (distribution === 'uniform') return first.map((u) => 2 * u - 1)
  if (distribution === 'exponential') return first.map((u) => -Math.log(u))
  if (distribution === 'laplace') return first.map((u) => (u < 0.5 ? Math.log(2 * u) : -Math.log(2 - 2 * u)))
  const second = draw(1)
  const gaussian = first.map((u, i) => Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * second[i]!))
  if (distribution === 'gaussian') return gaussian
  if (distribution === 'half-gaussian') return gaussian.map(Math.abs)
  const third = draw(2)
  const fourth = draw(3)
  // χ² with 4 degrees is −2·ln(u·v); with 3, one exponential and the square of the sine half of the Gaussian pair.
  if (distribution === 'student4')
    return gaussian.map((z, i) => z / Math.sqrt((-2 * Math.log(third[i]! * fourth[i]!)) / 4))
  return gaussian.map((z, i) => {
    const sine = Math.sqrt(-2 * Math.log(third[i]!)) * Math.sin(2 * Math.PI * fourth[i]!)
    const radius = -2 * Math.log(first[count - 1 - i]!)
    return z / Math.sqrt((sine * sine + radius) / 3)
  })
}
