/** The table of largest errors in docs/functions.md, measured over all codes and compared with what the page states. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FIXED_POINT_FUNCTIONS, type FixedPointFunction, fromFixedPoint, toFixedPoint } from './fixed-point.ts'
import { polynomialExponential, polynomialExponentialAt } from './polynomial-exponential.ts'
import { polynomialErf, polynomialErfAt, polynomialGelu, polynomialGeluAt } from './polynomial-gelu.ts'
import { polynomialSigmoid, polynomialSoftmaxAt, polynomialTanh } from './polynomial-softmax.ts'
import { shiftExponential, shiftExponentialAt } from './shift-exponential.ts'
import { shiftGelu, shiftGeluAt } from './shift-gelu.ts'
import { shiftErfAt, shiftmaxAt, shiftSigmoid, shiftTanh } from './shift-softmax.ts'
import { exponentialTables, functionKnots, functionTable, lookUp, lookUpCurve, tableExponential } from './table.ts'

/** erf in doubles: 2/√π e^(−x²) Σ 2^n x^(2n+1) / (1 × 3 × … × (2n + 1)). */
function erf(x: number): number {
  let sum = 0
  let term = Math.abs(x)
  for (let n = 3; term > 1e-18 * sum; n += 2) {
    sum += term
    term *= (2 * x * x) / n
  }
  return Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum) * Math.sign(x)
}

const REAL: Readonly<Record<FixedPointFunction, (x: number) => number>> = {
  exp: Math.exp,
  erf,
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
}

/** Codes and the scale of inputs: −8 … 8 in 8 or 16 bits. Exponentials take the differences 0 … −16. */
const INPUTS = [
  { bits: 8, scale: 1 / 16, low: -128, high: 127 },
  { bits: 16, scale: 1 / 4096, low: -32768, high: 32767 },
] as const
type Inputs = (typeof INPUTS)[number]

/** What a function gives for a code, as a real number. */
type Approximation = (code: number) => number

const shift: Readonly<Record<FixedPointFunction, (inputs: Inputs) => Approximation>> = {
  exp: ({ scale }) => {
    const p = shiftExponentialAt(scale, 15, 'training')
    return (code) => shiftExponential(code, p) * p.outputScale
  },
  erf: ({ scale }) => {
    const p = shiftErfAt(scale, 16, 'training')
    return (code) => shiftTanh(code, p) * p.outputScale
  },
  gelu: ({ scale, high }) => {
    const p = shiftGeluAt(scale, 8, 'training')
    // In a row whose largest value is the largest code.
    return (code) => shiftGelu([code, high], p)[0] * p.outputScale
  },
  sigmoid: ({ scale }) => {
    const p = shiftmaxAt(scale, 16, 'training')
    return (code) => shiftSigmoid(code, p) * p.outputScale
  },
  tanh: ({ scale }) => {
    const p = shiftmaxAt(scale, 16, 'training')
    return (code) => shiftTanh(code, p) * p.outputScale
  },
}

const polynomial: Readonly<Record<FixedPointFunction, (inputs: Inputs) => Approximation>> = {
  exp: ({ scale }) => {
    const p = polynomialExponentialAt(scale)
    return (code) => polynomialExponential(code, p) * p.outputScale
  },
  erf: ({ scale, bits }) => {
    const p = polynomialErfAt(scale, bits === 8 ? 0 : 14)
    return (code) => polynomialErf(code, p) * p.outputScale
  },
  gelu: ({ scale, bits }) => {
    const p = polynomialGeluAt(scale, bits === 8 ? 0 : 14)
    return (code) => polynomialGelu(code, p) * p.outputScale
  },
  sigmoid: ({ scale }) => {
    const p = polynomialSoftmaxAt(scale, 16)
    return (code) => polynomialSigmoid(code, p) * p.outputScale
  },
  tanh: ({ scale }) => {
    const p = polynomialSoftmaxAt(scale, 16)
    return (code) => polynomialTanh(code, p) * p.outputScale
  },
}

const table =
  (name: FixedPointFunction) =>
  ({ scale, bits }: Inputs): Approximation => {
    if (name === 'exp') {
      const tables = exponentialTables(scale)
      return (code) => tableExponential(-code, tables) / 2 ** 15
    }
    const outputScale = name === 'gelu' ? 2 ** -12 : 2 ** -15
    const codes = { inputScale: scale, inputZeroPoint: 0, outputScale, outputZeroPoint: 0, low: -32768, high: 32767 }
    const entries = bits === 8 ? functionTable(name, codes) : functionKnots(name, codes)
    return (code) => (bits === 8 ? lookUp(code, entries) : lookUpCurve(code, entries)) * outputScale
  }

function largestError(name: FixedPointFunction, inputs: Inputs, approximation: Approximation): number {
  const [low, high] = name === 'exp' ? [inputs.low - inputs.high, 0] : [inputs.low, inputs.high]
  let largest = 0
  for (let code = low; code <= high; code++)
    largest = Math.max(largest, Math.abs(approximation(code) - REAL[name](code * inputs.scale)))
  return largest
}

/** Three significant digits, never less than the number. */
function upwards(value: number): string {
  const [mantissa, exponent] = value.toExponential(10).split('e')
  return `${(Math.ceil(Number(mantissa) * 100 - 1e-6) / 100).toFixed(2)}e${Number(exponent)}`
}

describe('docs/functions.md', () => {
  it('states the largest errors of every function and family', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/functions.md', import.meta.url)), 'utf8')
    const rows = (Object.keys(REAL) as FixedPointFunction[]).flatMap((name) =>
      INPUTS.map((inputs) => {
        const errors = [shift[name], polynomial[name], table(name)].map((family) =>
          upwards(largestError(name, inputs, family(inputs))),
        )
        return `| ${name} | ${inputs.bits} | ${errors.join(' | ')} |`
      }),
    )
    const stated = page.split('\n').filter((line) => /^\| (?:exp|erf|gelu|sigmoid|tanh) \| \d/.test(line))
    expect(stated).toEqual(rows)
  })

  it('is measured against functions that agree with the exact ones', () => {
    for (const name of Object.keys(REAL) as FixedPointFunction[])
      for (let x = -8; x <= (name === 'exp' ? 0 : 8); x += 0.25)
        expect(Math.abs(REAL[name](x) - fromFixedPoint(FIXED_POINT_FUNCTIONS[name](toFixedPoint(x))))).toBeLessThan(
          1e-14,
        )
  })
})
