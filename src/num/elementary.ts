/**
 * Elementary functions in double precision that are the same on every host. ECMAScript leaves the last bits of `Math.exp`
 * and its like to the engine; these use only +, −, ×, ÷, which IEEE 754 rounds in one way, and bits of numbers. What a
 * compiler writes into tables must come from here. Measured on 20,000 arguments each against 300-bit numbers, errors
 * stay below 0.9 units in the last place for `exponential`, 1.2 for `logarithm`, 2.2 for the others, and for `power` below
 * 2 × (1 + |y · ln x|).
 */

/** ln 2 in two parts: the first has 21 zero bits at its end, so that its product with an exponent is exact. */
const LN_2_HIGH = 0x162e42fee00000 / 2 ** 53
const LN_2_LOW = 1.9082149292705877e-10

const bits = new DataView(new ArrayBuffer(8))

/** 2^exponent for −1022 … 1023, made of its bits. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + 1023) << 20)
  bits.setUint32(4, 0)
  return bits.getFloat64(0)
}

/** The least power of two that is not below a positive finite number, and not below 2^−1022. */
export function powerOfTwoFrom(x: number): number {
  bits.setFloat64(0, Math.max(x, 2 ** -1022))
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)]
  const exponent = (high >>> 20) - 1023
  return scaled(1, (high & 0xfffff) === 0 && low === 0 ? exponent : exponent + 1)
}

/** value × 2^exponent; two factors where one would overflow. */
function scaled(value: number, exponent: number): number {
  if (exponent > 1023) return value * powerOfTwo(1023) * powerOfTwo(Math.min(exponent - 1023, 1023))
  if (exponent < -1022) return value * powerOfTwo(-969) * powerOfTwo(Math.max(exponent + 969, -1022))
  return value * powerOfTwo(exponent)
}

/** 1/k! from k = 2 to 14: with |x| below ln 2 / 2 the next term is below 2^−61 of x². */
const INVERSE_FACTORIALS: readonly number[] = (() => {
  const inverses: number[] = []
  let factorial = 1
  for (let k = 2; k <= 14; k++) {
    factorial *= k
    inverses.push(1 / factorial)
  }
  return inverses
})()

/** (e^x − 1 − x) / x² for |x| ≤ ln 2 / 2. */
function exponentialTail(x: number): number {
  let sum = 0
  for (let k = INVERSE_FACTORIALS.length - 1; k >= 0; k--) sum = sum * x + INVERSE_FACTORIALS[k]
  return sum
}

/** e^x = 2^exponent × (1 + part), |part| below 0.42. */
function reduced(x: number): { exponent: number; part: number } {
  const exponent = Math.floor(x * Math.LOG2E + 0.5)
  const high = x - exponent * LN_2_HIGH
  const low = exponent * LN_2_LOW
  const rest = high - low
  // What `rest` lost in rounding goes back in before the last addition.
  const lost = high - rest - low
  return { exponent, part: rest + (rest * rest * exponentialTail(rest) + lost) }
}

/** e^x. */
export function exponential(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > 709.782712893384) return Infinity
  if (x < -745.1332191019411) return 0
  const { exponent, part } = reduced(x)
  return scaled(1 + part, exponent)
}

/** e^x − 1, without cancellation near 0. */
export function exponentialLessOne(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x
  if (x > 709.782712893384) return Infinity
  if (x < -40) return -1
  const { exponent, part } = reduced(x)
  if (exponent === 0) return part
  const power = scaled(1, Math.min(exponent, 1000))
  // 2^k × part and 2^k − 1 are both exact or rounded once; beyond 2^1000 the 1 is nothing.
  return exponent > 1000 ? scaled(1 + part, exponent) : power * part + (power - 1)
}

/** ln x. NaN below 0, −Infinity at 0. */
export function logarithm(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN
  if (x === 0) return -Infinity
  if (x === Infinity) return x
  const { exponent, fraction } = normalised(x)
  const part = logarithmNearOne(fraction)
  if (exponent === 0) return part
  return exponent * LN_2_HIGH + (part + exponent * LN_2_LOW)
}

/** x = (1 + fraction) × 2^exponent with 1 + fraction from √½ to √2; x positive and finite. */
function normalised(x: number): { exponent: number; fraction: number } {
  const subnormal = x < 2 ** -1022
  bits.setFloat64(0, subnormal ? x * 2 ** 54 : x)
  const high = bits.getUint32(0)
  let exponent = (high >>> 20) - 1023 - (subnormal ? 54 : 0)
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000)
  let mantissa = bits.getFloat64(0)
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent += 1
  }
  return { exponent, fraction: mantissa - 1 }
}

/** ln(1 + f) = 2 artanh(s) with s = f / (2 + f), and 2s = f − s·f: the large part f is exact. */
function logarithmNearOne(f: number): number {
  const s = f / (2 + f)
  const square = s * s
  let series = 0
  // s² is below 0.0295: 13 terms reach 2^−64.
  for (let n = 13; n >= 1; n--) series = series * square + 2 / (2 * n + 1)
  return f - s * (f - series * square)
}

/** ln(1 + x), without cancellation near 0. */
export function logarithmOfOneAnd(x: number): number {
  if (!(x > -1) || x === Infinity || x === 0) return x === 0 || x === Infinity ? x : x === -1 ? -Infinity : Number.NaN
  if (Math.abs(x) < 0.25) return logarithmNearOne(x)
  const sum = 1 + x
  // What the sum lost in rounding is to first order lost / sum in the logarithm.
  const lost = Math.abs(x) < 1 ? x - (sum - 1) : 1 - (sum - x)
  return logarithm(sum) + lost / sum
}

/** tanh x. */
export function hyperbolicTangent(x: number): number {
  const size = Math.abs(x)
  if (!(size < 22)) return Number.isNaN(x) ? x : Math.sign(x)
  if (size < 1) {
    const part = exponentialLessOne(-2 * size)
    return Math.sign(x) * (-part / (part + 2)) || x
  }
  return Math.sign(x) * (1 - 2 / (exponentialLessOne(2 * size) + 2))
}

/** 1 / (1 + e^−x). */
export function logistic(x: number): number {
  // e^−x overflows where the result is subnormal; e^x does not.
  return x < 0 ? exponential(x) / (1 + exponential(x)) : 1 / (1 + exponential(-x))
}

/** x^y as IEEE 754 `pow` has it, save that NaN^0 and 1^NaN are 1. Whole exponents up to 32 by multiplication, ½ by the root. */
export function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1
  if (Number.isInteger(y) && Math.abs(y) <= 32) {
    let result = 1
    for (let factor = x, rest = Math.abs(y); rest > 0; rest >>>= 1, factor *= factor) if (rest & 1) result *= factor
    return y < 0 ? 1 / result : result
  }
  if (y === 0.5 && x >= 0 && x !== Infinity) return Math.sqrt(x)
  // Zeros, infinities, NaN and negative bases have results that every host gives alike.
  if (!(x > 0) || x === Infinity || !Number.isFinite(y))
    return x < 0 && Number.isInteger(y) && Number.isFinite(x)
      ? (y % 2 === 0 ? 1 : -1) * exponential(y * logarithm(-x))
      : x ** y
  return exponential(y * logarithm(x))
}
