/** Products in memory: equal to the definitions of src/functions bit for bit, and to the float kernels under the float rule. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lMulExponent, reduceMantissa } from '../functions/l-mul.ts'
import { type ProductArithmetic, productOfMatrices } from '../functions/product-arithmetic.ts'
import { randomUint32 } from '../num/random.ts'
import { instantiateKernels } from '../reference/fast/kernels.ts'
import { createSimulation } from './simulation.ts'
import {
  createMatrixProduct,
  multiplyMatrices,
  type ProductRule,
  productKernels,
  type SimulatedProduct,
} from './simulation-products.ts'

/** All NaN are one, and so are the zeros of a sum that starts at 0. */
const canonical = (values: ArrayLike<number>): Uint32Array => {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  return bits.map((pattern) => ((pattern & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : pattern))
}

const logarithms = (mantissaBits: number, operands: 'truncate' | 'nearest'): SimulatedProduct => ({
  kind: 'logarithms',
  mantissaBits,
  operands,
  correction: 2 ** -lMulExponent(mantissaBits),
})

const specials = [
  0,
  -0,
  1e-40,
  -1e-40,
  2 ** -126,
  1e-20,
  -1e-20,
  1e30,
  -1e30,
  3.4e38,
  Infinity,
  -Infinity,
  NaN,
  1,
  -1.5,
]

/** `kind` 0: of about 1 with zeros, 1: of all magnitudes, 2: with specials, 3: with subnormal and large numbers. */
function operand(length: number, kind: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const word = randomUint32(seed, kind, i)
    const value = (word / 2 ** 32 - 0.5) * (kind === 0 || kind === 3 ? 4 : 2 ** (((word >>> 3) % 200) - 100))
    if (word % 5 === 0) return 0
    if (kind === 3 && word % 3 === 0) return [1e-40, -1e-38, 1e10, 2 ** -126][(word >>> 8) % 4]!
    return kind === 2 && word % 7 === 0 ? specials[(word >>> 8) % specials.length]! : value
  })
}

const rules: readonly [name: string, product: SimulatedProduct, arithmetic: ProductArithmetic, factorBits?: number][] =
  [
    ...[1, 3, 4, 7, 10, 23].map((bits): [string, SimulatedProduct, ProductArithmetic] => [
      `l-mul ${bits} truncated`,
      logarithms(bits, 'truncate'),
      { kind: 'l-mul', mantissaBits: bits, operands: 'truncate' },
    ]),
    ...[3, 4, 23].map((bits): [string, SimulatedProduct, ProductArithmetic] => [
      `l-mul ${bits} to nearest`,
      logarithms(bits, 'nearest'),
      { kind: 'l-mul', mantissaBits: bits, operands: 'nearest' },
    ]),
  ]

describe('multiplyMatrices', () => {
  it.each(rules)('%s equals productOfMatrices, whatever the operands and the sums', (_, product, arithmetic) => {
    for (const kind of [0, 1, 2, 3])
      for (const accumulatorBits of [23, 10, 7, 3])
        for (const [rows, inner, columns] of [
          [5, 17, 13],
          [1, 9, 8],
          [2, 1, 3],
          [7, 40, 25],
        ] as const) {
          const shape = { rows, inner, columns }
          const [a, b] = [operand(rows * inner, kind, 3), operand(inner * columns, kind, 4)]
          const expected = canonical(productOfMatrices(a, b, shape, arithmetic, accumulatorBits))
          const actual = canonical(multiplyMatrices({ product, accumulatorBits }, a, b, shape))
          for (let i = 0; i < actual.length; i++)
            if (actual[i] !== expected[i])
              expect({ kind, accumulatorBits, shape, i, got: actual[i] }).toEqual(expected[i])
        }
  })

  it.each([
    [3, -6],
    [2, -14],
    [7, -126],
  ] as const)(
    'with factors of %d mantissa bits above 2^%d equals productOfMatrices, products rounded or not',
    (mantissaBits, leastExponent) => {
      const shape = { rows: 6, inner: 30, columns: 21 }
      const arithmetic = { kind: 'rounded', mantissaBits, leastExponent, products: true } as const
      for (const range of [1, 2 ** -4])
        for (const accumulatorBits of [23, 7, 3]) {
          // The first product only rounds the factors, which the memory's product expects.
          const factor = (values: Float32Array): Float32Array =>
            Float32Array.from(
              productOfMatrices(
                values,
                [1],
                { rows: values.length, inner: 1, columns: 1 },
                { ...arithmetic, products: false },
                23,
              ),
            )
          const a = factor(operand(180, 0, 8).map((value) => value * range))
          const b = factor(operand(630, 0, 9).map((value) => value * range))
          for (const products of [true, false]) {
            const product: SimulatedProduct = products
              ? { kind: 'rounded', mantissaBits, leastExponent }
              : { kind: 'float32' }
            const expected = productOfMatrices(a, b, shape, { ...arithmetic, products }, accumulatorBits)
            expect(canonical(multiplyMatrices({ product, accumulatorBits }, a, b, shape))).toEqual(canonical(expected))
          }
        }
    },
  )

  it('refuses rules and arrays that make no sense', () => {
    const shape = { rows: 1, inner: 1, columns: 1 }
    const refused = (rule: ProductRule): void => void multiplyMatrices(rule, [1], [1], shape)
    expect(() => refused({ product: { kind: 'float32' }, accumulatorBits: 24 })).toThrow(/sums of 24 mantissa bits/)
    expect(() => refused({ product: logarithms(0.5 as number, 'truncate'), accumulatorBits: 7 })).toThrow(
      /L-Mul with 0.5/,
    )
    expect(() =>
      refused({
        product: { kind: 'logarithms', mantissaBits: 3, operands: 'truncate', correction: 1 },
        accumulatorBits: 7,
      }),
    ).toThrow(/a correction of 1/)
    expect(() =>
      refused({ product: { kind: 'rounded', mantissaBits: 3, leastExponent: 0 }, accumulatorBits: 7 }),
    ).toThrow(/least exponent 0/)
    expect(() => multiplyMatrices({ product: { kind: 'float32' }, accumulatorBits: 23 }, [1, 2], [1], shape)).toThrow(
      /2 and 1 numbers for 1 × 1/,
    )
  })
})

describe('createMatrixProduct', () => {
  const product = logarithms(4, 'truncate')
  const most = { rows: 6, inner: 12, columns: 10 }

  it('takes a transposed right operand and rows that lie apart, again and again', () => {
    const simulation = createSimulation()
    const multiply = createMatrixProduct(simulation, { product, accumulatorBits: 23 }, most)
    const [a, b, c] = [6 * 16, 10 * 12, 6 * 11].map((count) => simulation.allocate(4 * count)) as [
      number,
      number,
      number,
    ]
    const floats = (address: number, count: number): Float32Array =>
      new Float32Array(simulation.memory.buffer, address, count)
    const arithmetic = { kind: 'l-mul', mantissaBits: 4, operands: 'truncate' } as const
    for (const shape of [most, { rows: 3, inner: 5, columns: 9 }]) {
      const { rows, inner, columns } = shape
      const [left, right] = [operand(rows * inner, 0, 31), operand(inner * columns, 0, 32)]
      for (let row = 0; row < rows; row++)
        floats(a + 64 * row, inner).set(left.subarray(row * inner, (row + 1) * inner))
      floats(b, inner * columns).set(right.map((_, i) => right[(i % inner) * columns + Math.floor(i / inner)]!))
      floats(c, 6 * 11).fill(-7)
      const places = { a, aRowStride: 64, b, bRowStride: 4, bColumnStride: 4 * inner, c, cRowStride: 44 }
      multiply({ ...places, ...shape })
      const expected = productOfMatrices(left, right, shape, arithmetic, 23)
      for (let i = 0; i < 6 * 11; i++) {
        const [row, column] = [Math.floor(i / 11), i % 11]
        const inside = row < rows && column < columns
        expect(floats(c, 6 * 11)[i]).toBe(inside ? expected[row * columns + column] : -7)
      }
    }
  })

  it('refuses a larger product than it has room for', () => {
    const multiply = createMatrixProduct(createSimulation(), { product, accumulatorBits: 23 }, most)
    const places = { a: 64, aRowStride: 64, b: 64, bRowStride: 4, bColumnStride: 48, c: 64, cRowStride: 44 }
    expect(() => multiply({ ...places, ...most, rows: 7 })).toThrow(/7 × 12 times 12 × 10 in room for 6 × 12/)
    expect(() => multiply({ ...places, ...most, columns: 17 })).toThrow(/in room for/)
  })
})

describe('reduceMantissas', () => {
  it('equals reduceMantissa', () => {
    const { memory, kernels, allocate } = createSimulation()
    const values = Float32Array.from([...operand(203, 2, 41), ...specials])
    const address = allocate(4 * values.length)
    const place = new Float32Array(memory.buffer, address, values.length)
    for (const bits of [1, 3, 7, 23])
      for (const reduction of ['truncate', 'nearest'] as const) {
        place.set(values)
        kernels.reduceMantissas(address, address, values.length, bits, reduction === 'nearest' ? 1 : 0)
        expect(canonical(place)).toEqual(canonical(values.map((value) => reduceMantissa(value, bits, reduction))))
      }
  })
})

describe('createSimulation', () => {
  it('stays in the room that it is given, and says so when there is none', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 })
    const inside = createSimulation(memory, 1024, 4096)
    expect([inside.allocate(100), inside.allocate(1)]).toEqual([1024, 1216])
    expect(() => inside.allocate(4000)).toThrow(/no room for 4000 bytes/)
    const behind = createSimulation(memory)
    expect(behind.allocate(1000)).toBe(65536)
    expect(memory.buffer.byteLength).toBe(2 * 65536)
    expect(() => behind.allocate(65536)).toThrow(/no room/)
  })
})

/** A small NHWC layer in memory, with the tables that the fast executor makes. */
function layer(pixels: number, inputs: number, taps: number, outputs: number, seed: number) {
  const simulation = createSimulation()
  const lanes = (inputs + 3) & ~3
  const out = (outputs + 3) & ~3
  const place = (values: Float32Array | Int32Array): number => {
    const address = simulation.allocate(values.byteLength)
    const Words = values instanceof Float32Array ? Float32Array : Int32Array
    new Words(simulation.memory.buffer, address, values.length).set(values)
    return address
  }
  const panels = Math.ceil(outputs / 8) * 8
  return {
    simulation,
    input: place(operand((pixels + taps) * lanes, 0, seed)),
    offsets: place(Int32Array.from({ length: pixels }, (_, i) => i * lanes * 4)),
    segments: place(Int32Array.from({ length: taps }, (_, i) => i * lanes * 4)),
    weights: place(operand(taps * lanes * panels, 0, seed + 1)),
    bias: place(operand(panels, 0, seed + 2)),
    residual: place(operand(pixels * out, 0, seed + 3)),
    outputs: [simulation.allocate(4 * pixels * out), simulation.allocate(4 * pixels * out)] as const,
    lanes,
    out,
  }
}

describe('productKernels', () => {
  const rule: ProductRule = { product: { kind: 'float32' }, accumulatorBits: 23 }

  it('under the float rule are the fast executor’s kernels, bit for bit', () => {
    fc.assert(
      fc.property(
        ...([fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 })] as const),
        ...([fc.integer({ min: 1, max: 20 }), fc.boolean(), fc.nat(1000)] as const),
        (pixels, inputs, taps, outputs, residual, seed) => {
          const { simulation, ...at } = layer(pixels, inputs, taps, outputs, seed)
          const floats = instantiateKernels(simulation.memory)
          const simulated = productKernels(simulation, rule)
          const view = (address: number): Float32Array =>
            new Float32Array(simulation.memory.buffer, address, pixels * at.out).slice()
          const rest = [at.out * 4, at.out, residual ? at.residual : 0, at.out * 4, -1, 2]
          for (const [index, kernels] of [floats, simulated].entries())
            kernels.convolve(
              ...[at.input, at.offsets, pixels, at.segments, taps, inputs * 4, at.weights, at.bias],
              ...[at.outputs[index]!, ...rest],
            )
          expect(view(at.outputs[1])).toEqual(view(at.outputs[0]))
          const lanewise = [at.lanes * 4, at.lanes, 0, 0, -1, 2]
          const wide = (address: number): Float32Array =>
            new Float32Array(simulation.memory.buffer, address, pixels * at.lanes).slice()
          const targets = [simulation.allocate(4 * pixels * at.lanes), simulation.allocate(4 * pixels * at.lanes)]
          const zeros = simulation.allocate(4 * (at.lanes + 8))
          for (const [index, kernels] of [floats, simulated].entries())
            kernels.depthwise(
              ...[at.input, at.offsets, pixels, at.segments, taps, at.weights, zeros],
              ...[targets[index]!, ...lanewise],
            )
          expect(wide(targets[1]!)).toEqual(wide(targets[0]!))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('under L-Mul a depthwise layer is the product of each channel alone', () => {
    const [pixels, channels, taps] = [5, 11, 9]
    const { simulation, ...at } = layer(pixels, channels, taps, 12, 21)
    const kernels = productKernels(simulation, { product: logarithms(3, 'truncate'), accumulatorBits: 7 })
    const target = simulation.allocate(4 * pixels * at.lanes)
    kernels.depthwise(
      ...[at.input, at.offsets, pixels, at.segments, taps, at.weights, 0],
      ...[target, at.lanes * 4, at.lanes, 0, 0, -Infinity, Infinity],
    )
    const { buffer } = simulation.memory
    const result = new Float32Array(buffer, target, pixels * at.lanes)
    const input = new Float32Array(buffer, at.input, (pixels + taps) * at.lanes)
    const weights = new Float32Array(buffer, at.weights, 16 * taps)
    for (let channel = 0; channel < channels; channel++)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const column = Float32Array.from({ length: taps }, (_, tap) => input[(pixel + tap) * at.lanes + channel]!)
        const kernel = Float32Array.from(
          { length: taps },
          (_, tap) => weights[Math.floor(channel / 8) * taps * 8 + tap * 8 + (channel % 8)]!,
        )
        const arithmetic = { kind: 'l-mul', mantissaBits: 3, operands: 'truncate' } as const
        const sum = productOfMatrices(column, kernel, { rows: 1, inner: taps, columns: 1 }, arithmetic, 7)[0]
        expect(result[pixel * at.lanes + channel]).toBe(sum)
      }
  })
})
