/**
 * The learning inside AdaRound, for one layer: each weight is floor + h(v) · span with h(v) = clip(sigmoid(v) · 1.2 − 0.1,
 * 0, 1); Adam minimises the squared error of the clipped output plus λ · Σ (1 − |2h − 1|^β), which drives every h to 0 or 1
 * while β falls. The error is counted in units of nearest rounding's, per weight, so that λ means the same in every layer.
 * 1000 steps of 64 rows at a rate of 0.05 take the place of the paper's 10000 at 0.01, with a λ large enough for every h to
 * settle in that time: h that are cut off in the middle cost more than a λ that is too large.
 */
import { exponential, logarithm, power } from '../num/elementary.ts'
import { fillRandomUint32, scaleUint32 } from '../num/random.ts'
import { WeightProducts } from './weight-products.ts'

/** One layer's rounding as a problem of real numbers. Weights are [output][tap], rows [row][group][tap]. */
export interface RoundingProblem {
  readonly rows: number
  readonly groups: number
  readonly taps: number
  readonly outputs: number
  readonly inputs: Float32Array
  /** [row][output]: what the clipped output should be, and what is added before it is clipped. */
  readonly targets: Float32Array
  readonly offsets: Float32Array
  /** Every weight rounded down, and what rounding up adds: 0 where there is no code above. */
  readonly floors: Float64Array
  readonly spans: Float64Array
  /** Where the weight lies between both, in [0, 1). */
  readonly shares: Float64Array
  /** Nearest rounding: 0 for down, 1 for up. */
  readonly nearest: ArrayLike<number>
  readonly low: number
  readonly high: number
}

export interface LearnOptions {
  readonly seed: number
  readonly steps?: number
  readonly batch?: number
  readonly rate?: number
  /** Weight of the regulariser beside a reconstruction error of 1 per weight. */
  readonly lambda?: number
}

const ZETA = 1.1
const GAMMA = -0.1
const WARM_UP = 0.2
const FIRST_BETA = 20
const LAST_BETA = 2

/** The variable whose h is a share in [0, 1). */
export function variableOf(share: number): number {
  return -logarithm((ZETA - GAMMA) / (share - GAMMA) - 1)
}

/** h(v). */
export function relaxed(variable: number): number {
  const stretched = (ZETA - GAMMA) / (1 + exponential(-variable)) + GAMMA
  return stretched < 0 ? 0 : stretched > 1 ? 1 : stretched
}

/** β at some part of the steps, 0 to 1: constant while the regulariser is off, then falling in a line. */
export function betaAt(part: number): number {
  return part <= WARM_UP ? FIRST_BETA : FIRST_BETA + ((LAST_BETA - FIRST_BETA) * (part - WARM_UP)) / (1 - WARM_UP)
}

/** Σ 1 − |2h − 1|^β. */
export function regulariser(shares: ArrayLike<number>, beta: number): number {
  let sum = 0
  for (let i = 0; i < shares.length; i++) sum += 1 - power(Math.abs(2 * shares[i] - 1), beta)
  return sum
}

/** The relaxed weights after learning, h of each in [0, 1]. */
export function learnShares(problem: RoundingProblem, options: LearnOptions): Float64Array {
  const { rows, groups, taps, outputs, floors, spans } = problem
  const { seed, steps = 1000, batch = 64, rate = 0.05, lambda = 30 } = options
  const size = Math.min(batch, rows)
  const products = new WeightProducts({ rows, batch: size, groups, taps, outputs }, problem.inputs)
  const count = floors.length
  const places = Int32Array.from({ length: count }, (_, i) => products.place(Math.floor(i / taps), i % taps, taps))
  const setWeights = (share: (i: number) => number): void => {
    for (let i = 0; i < count; i++) products.weights[places[i]] = floors[i] + spans[i] * share(i)
  }
  setWeights((i) => problem.nearest[i])
  const unit = count / Math.max(squaredError(problem, products, size), Number.MIN_VALUE)
  const variables = Float64Array.from(problem.shares, variableOf)
  const shares = Float64Array.from(variables, relaxed)
  const first = new Float64Array(count)
  const second = new Float64Array(count)
  const chosen = new Int32Array(size)
  const words = new Uint32Array(size)
  for (let step = 1; step <= steps; step++) {
    fillRandomUint32(seed, taps, (step - 1) * size, words)
    for (let m = 0; m < size; m++) chosen[m] = scaleUint32(words[m], rows)
    setWeights((i) => shares[i])
    products.forward(chosen)
    errorsOf(problem, products, chosen, (2 * unit) / size)
    products.backward(chosen)
    const beta = betaAt(step / steps)
    const slope = step / steps <= WARM_UP ? undefined : regulariserSlope(beta, lambda)
    const correction = Math.sqrt(1 - power(0.999, step)) / (1 - power(0.9, step))
    for (let i = 0; i < count; i++) {
      if (spans[i] === 0) continue
      const share = shares[i]
      const wanted = products.gradients[places[i]] * spans[i] + (slope ? slope(share) : 0)
      // The slope of h; none where it is clipped.
      const stretched = (share - GAMMA) / (ZETA - GAMMA)
      const gradient = share <= 0 || share >= 1 ? 0 : wanted * (ZETA - GAMMA) * stretched * (1 - stretched)
      first[i] = 0.9 * first[i] + 0.1 * gradient
      second[i] = 0.999 * second[i] + 0.001 * gradient * gradient
      variables[i] -= (rate * correction * first[i]) / (Math.sqrt(second[i]) + 1e-8)
      shares[i] = relaxed(variables[i])
    }
  }
  return shares
}

/** For each weight 1 where it is rounded up, else 0. */
export function learnRounding(problem: RoundingProblem, options: LearnOptions): Uint8Array {
  return Uint8Array.from(learnShares(problem, options), (share) => (share >= 0.5 ? 1 : 0))
}

/** d/dh of λ (1 − |2h − 1|^β), from a table: powers cost more than everything else of a step. */
function regulariserSlope(beta: number, lambda: number): (share: number) => number {
  const steps = 1024
  const table = Float64Array.from({ length: steps + 1 }, (_, i) => 2 * lambda * beta * power(i / steps, beta - 1))
  return (share) => {
    const distance = 2 * share - 1
    return distance < 0 ? table[Math.round(-distance * steps)] : -table[Math.round(distance * steps)]
  }
}

/** Replaces a batch's values by the derivative of `factor` / 2 · Σ error² by the sums before clipping. */
function errorsOf(problem: RoundingProblem, products: WeightProducts, chosen: Int32Array, factor: number): number {
  const { outputs, targets, offsets, low, high } = problem
  const { values } = products
  const size = chosen.length
  let sum = 0
  for (let o = 0; o < outputs; o++) {
    const start = products.place(o, 0, size)
    for (let m = 0; m < size; m++) {
      const at = chosen[m] * outputs + o
      const value = values[start + m * 8] + offsets[at]
      const clipped = value < low ? low : value > high ? high : value
      const error = clipped - targets[at]
      sum += error * error
      values[start + m * 8] = clipped === value ? error * factor : 0
    }
  }
  return sum
}

/** Mean over rows of the squared error of the weights that are set. */
function squaredError(problem: RoundingProblem, products: WeightProducts, size: number): number {
  const chosen = new Int32Array(size)
  let sum = 0
  let seen = 0
  for (let row = 0; row + size <= problem.rows; row += size) {
    for (let m = 0; m < size; m++) chosen[m] = row + m
    products.forward(chosen)
    sum += errorsOf(problem, products, chosen, 0)
    seen += size
  }
  return sum / seen
}
