/**
 * Kernels over rows of channels, products of matrices and look-ups against their scalar meaning: programs of one instruction
 * between import and export, made at random, compared byte for byte. Case numbers are seeds.
 */
import { describe, expect, it } from 'vitest'
import type { IntegerTensor } from '../lower/integer-graph.ts'
import { readsLeft } from '../program/product-calls.ts'
import { createRandom, type Random } from '../program/program.fixture.ts'
import { createBuilder, type GraphBuilder } from '../program/random-graph.fixture.ts'
import type { ProductSizes } from '../program/random-product.fixture.ts'
import { compareProgram, isFilled } from './compare-program.fixture.ts'

type Build = (builder: GraphBuilder, random: Random) => IntegerTensor

function draw(cases: number, first: number, build: Build, leastFilled: number): void {
  let filled = 0
  for (let seed = first; seed < first + cases; seed++) {
    const random = createRandom(seed)
    const builder = createBuilder(`case ${seed}`, random)
    const output = build(builder, random)
    builder.output(output, random.pick(['u8', 's8']), random.pick(['nchw', 'nhwc']))
    if (isFilled(builder, output)) filled++
    compareProgram(builder, random)
  }
  expect(filled).toBeGreaterThanOrEqual(leastFilled * cases)
}

const FORMATS = (['s8', 's16'] as const).flatMap((left) =>
  (['s8', 's16'] as const).flatMap((right) => (['s8', 's16'] as const).map((output) => [left, right, output] as const)),
)

describe('products equal the scalar meaning', () => {
  const seen = new Map<string, number>()
  const count = (property: string): void => void seen.set(property, (seen.get(property) ?? 0) + 1)

  it.each(FORMATS)('%s by %s to %s, in any layout', (...formats) => {
    draw(
      40,
      1000 * (1 + FORMATS.indexOf(formats)),
      (builder, random) => {
        const sizes: ProductSizes = {
          rows: random.pick([1, 2, 3, 4, 5, random.between(6, 20)]),
          inner: random.pick([1, 2, 7, 8, 9, 16, random.between(1, 40)]),
          columns: random.pick([8, 16, 1, random.between(1, 30)]),
          batches: random.pick([[], [3], [2, 2], [2, 3, 2]]),
        }
        const output = builder.product(sizes, formats)
        const made = builder.instructions.at(-1)
        if (made?.kind === 'product') {
          if (readsLeft(made)) count('left as stored')
          if (made.leftSteps.inner === 1 && made.inner >= 8) count('left in vectors')
          if (made.rightSteps.column === 1 && made.columns >= 8) count('columns side by side')
          if (made.rightSteps.inner === 1 && made.columns >= 8 && made.inner >= 8) count('columns lengthwise')
          if (made.rightSteps.inner !== 1 && made.rightSteps.column !== 1) count('scattered')
          if (made.leftShift > 0) count('left shift')
        }
        return output
      },
      0.5,
    )
  })

  it('in every way of packing', () => {
    const wanted = ['left as stored', 'left in vectors', 'columns side by side', 'columns lengthwise', 'scattered']
    expect([...wanted, 'left shift'].filter((property) => (seen.get(property) ?? 0) < 5)).toEqual([])
  })

  it.each([
    ['scores of a vision transformer', { rows: 65, inner: 64, columns: 65, batches: [3] }],
    ['values of a vision transformer', { rows: 65, inner: 65, columns: 64, batches: [3] }],
    ['scores of 197 tokens', { rows: 197, inner: 64, columns: 197, batches: [] }],
    ['values of 128 tokens', { rows: 128, inner: 128, columns: 64, batches: [2] }],
    ['one decoded token', { rows: 1, inner: 48, columns: 511, batches: [2] }],
  ])('%s', (_name, sizes) => {
    for (const formats of [FORMATS[0], FORMATS[7]] as const)
      draw(1, sizes.rows, (builder) => builder.product(sizes, formats as (typeof FORMATS)[number]), 0)
  })
})

describe('normalisations equal the scalar meaning', () => {
  it.each(['s8', 's16'] as const)('of %s', (format) =>
    draw(
      120,
      20_000,
      (builder, random) => {
        const channels = random.pick([1, 2, 8, 64, 192, 1000, random.between(1, 40)])
        const range =
          format === 's16' && random.chance(0.7)
            ? { low: -(2 ** random.between(0, 14)), high: 2 ** random.between(0, 14) }
            : undefined
        const input = builder.input(random.between(1, 4), random.between(1, 4), channels, format, 'nhwc', range)
        return builder.normalize(input, random.pick(['s8', 's16']))
      },
      0.4,
    ),
  )

  it('of constant rows, and of one that stands out', () => {
    for (const [seed, range] of [
      [1, { low: 7, high: 7 }],
      [2, { low: 0, high: 0 }],
      [3, { low: -32768, high: -32767 }],
    ] as const) {
      const random = createRandom(seed)
      const builder = createBuilder('flat', random)
      const input = builder.input(2, 3, 32767, 's16', 'nhwc', range)
      builder.output(builder.normalize(input, 's16'))
      compareProgram(builder, random)
    }
  })
})

describe('the families equal the scalar meaning', () => {
  /** 16-bit codes anywhere, or near each other. */
  const inputOf = (builder: GraphBuilder, random: Random, format: 's8' | 's16', most: number): IntegerTensor => {
    const channels = random.pick([1, 2, 8, 65, random.between(1, most)])
    const middle = random.between(-16384, 16383)
    const reach = 2 ** random.between(0, 14)
    const range = format === 's16' && random.chance(0.7) ? { low: middle - reach, high: middle + reach - 1 } : undefined
    return builder.input(random.between(1, 4), random.between(1, 4), channels, format, 'nhwc', range)
  }

  it.each(
    (['shift', 'shift-deployment', 'poly'] as const).flatMap((rule) => [['s8', rule] as const, ['s16', rule] as const]),
  )('softmax of %s by %s', (format, rule) =>
    draw(
      80,
      40_000,
      (builder, random) =>
        builder.familySoftmax(inputOf(builder, random, format, 40), rule, random.pick(['s8', 's16'])),
      0.1,
    ),
  )

  it.each(['s8', 's16'] as const)('GELU of %s', (format) =>
    draw(
      120,
      50_000,
      (builder, random) => builder.shiftGelu(inputOf(builder, random, format, 400), random.pick(['s8', 's16'])),
      0.2,
    ),
  )

  it.each(
    (['shift', 'shift-deployment', 'poly'] as const).flatMap((rule) => [['s8', rule] as const, ['s16', rule] as const]),
  )('normalisation of %s by %s', (format, rule) =>
    draw(
      80,
      60_000,
      (builder, random) => builder.normalize(inputOf(builder, random, format, 300), random.pick(['s8', 's16']), rule),
      0.3,
    ),
  )

  it('of the longest rows', () => {
    for (const rule of ['shift', 'shift-deployment', 'poly'] as const) {
      const random = createRandom(70_000)
      const builder = createBuilder(rule, random)
      builder.output(builder.normalize(builder.input(1, 1, 32767, 's16'), 's16', rule))
      builder.output(builder.familySoftmax(builder.input(1, 1, 65536, 's16'), rule, 's16'))
      compareProgram(builder, random)
    }
  })
})

describe('look-ups equal the scalar meaning', () => {
  it('of every index step, width and format', () =>
    draw(
      60,
      30_000,
      (builder, random) => {
        const indices = builder.indices(random.between(1, 20), random.between(1, 40))
        return builder.lookup(indices, random.between(1, 40), random.between(1, 3), random.pick(['s8', 's16']))
      },
      0.5,
    ))
})
