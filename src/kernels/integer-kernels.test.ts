/**
 * Every integer kernel against its scalar meaning: programs of one instruction between import and export, made at random,
 * compared byte for byte. Case numbers are seeds: a failure names the case that reproduces it.
 */
import { afterAll, describe, expect, it } from 'vitest'
import type { IntegerTensor, Window } from '../lower/integer-graph.ts'
import { readsStored } from '../program/convolution-calls.ts'
import { interpret } from '../program/interpret.ts'
import { createRandom, loadGraph, type Random, runNetwork } from '../program/program.fixture.ts'
import type { ConvolutionChoice } from '../program/random-convolution.fixture.ts'
import { createBuilder, type GraphBuilder } from '../program/random-graph.fixture.ts'
import { compareProgram, isFilled } from './compare-program.fixture.ts'

/** How often each property of a case occurred: a generator that misses one proves nothing about it. */
const seen = new Map<string, number>()
const count = (...properties: (string | false)[]): void => {
  for (const property of properties) if (property) seen.set(property, (seen.get(property) ?? 0) + 1)
}

function drawWindow(random: Random): Window {
  const kernel = random.pick([
    [1, 1],
    [3, 3],
    [5, 5],
    [7, 7],
    [2, 2],
    [4, 4],
    [1, 3],
    [3, 1],
    [2, 5],
  ] as const)
  const strides = [random.pick([1, 1, 2, 3]), random.pick([1, 1, 2, 3])] as const
  const dilations = [random.pick([1, 1, 1, 2, 3]), random.pick([1, 1, 1, 2, 3])] as const
  const pad = (axis: 0 | 1): number =>
    random.chance(0.4) ? 0 : random.between(0, (kernel[axis] - 1) * dilations[axis])
  return { kernel, strides, dilations, pads: [pad(0), pad(1), pad(0), pad(1)] }
}

/** Input size for which the window has about `wanted` positions along an axis. */
function inputSize(window: Window, axis: 0 | 1, wanted: number, random: Random): number {
  const extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1
  const slack = random.between(0, window.strides[axis] - 1)
  return Math.max(1, (wanted - 1) * window.strides[axis] + extent - window.pads[axis] - window.pads[axis + 2] + slack)
}

function drawInput(
  builder: GraphBuilder,
  random: Random,
  window: Window,
  channels: number,
  mostPixels = 60,
  format: 'u8' | 's8' | 's16' = random.pick(['u8', 's8']),
): IntegerTensor {
  const width = random.between(1, 9)
  const height = random.between(1, Math.max(1, Math.min(6, Math.floor(mostPixels / width))))
  return builder.input(
    inputSize(window, 0, height, random),
    inputSize(window, 1, width, random),
    channels,
    format,
    random.pick(['nchw', 'nhwc']),
  )
}

function countWindow({ kernel, strides, dilations, pads }: Window): void {
  const [top, left, bottom, right] = pads
  count(
    `kernel ${kernel.join('×')}`,
    `stride ${strides[0]}`,
    dilations.some((step) => step > 1) && 'dilated',
    (top !== bottom || left !== right) && 'padded unevenly',
    pads.every((pad) => pad === 0) && 'unpadded',
  )
}

function drawConvolution(seed: number, extreme: boolean): void {
  const random = createRandom(seed)
  const window = drawWindow(random)
  const form = random.pick(['plain', 'plain', 'grouped', 'depthwise', 'depthwise', 'dense'] as const)
  const builder = createBuilder(`case ${seed}`, random)
  const groups = form === 'grouped' ? random.between(2, 4) : 1
  let channels = random.chance(0.5) ? 8 * random.between(1, 5) : random.between(1, 40)
  if (form === 'grouped') channels = groups * random.between(1, 10)
  const large = window.kernel[0] * window.kernel[1] >= 25
  if (large && form !== 'depthwise') channels = groups * Math.min(channels / groups, 12)
  const inputFormat = random.pick(['u8', 's8', 's16'] as const)
  let input: IntegerTensor
  let choice: ConvolutionChoice
  if (form === 'dense') {
    const size = random.between(1, 7)
    input = builder.input(size, random.between(1, 7), channels, inputFormat, random.pick(['nchw', 'nhwc']))
    choice = {
      outputs: random.between(1, 60),
      window: { kernel: [input.height, input.width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
    }
  } else {
    input = drawInput(builder, random, window, channels, 60, inputFormat)
    const perGroup = random.chance(0.4) ? 8 * random.between(1, 2) : random.between(1, 12)
    choice =
      form === 'depthwise'
        ? { outputs: channels, window, groups: channels, depthwise: channels > 1 }
        : { outputs: groups > 1 ? groups * perGroup : random.between(1, 40), window, groups }
  }
  const format = random.pick(['s8', 's8', 's8', 's16', 's16', 's32'] as const)
  const multipliers = extreme ? 'extreme' : input.format === 's8' && random.chance(0.15) ? 'left' : 'fill'
  choice = {
    ...choice,
    weightFormat: random.pick(['s8', 's8', 'u8', 's4', 's2']),
    inputZeroPoints: random.pick(['none', 'uniform', 'channel']),
    format,
    multipliers,
    groupSize: random.chance(0.3) ? random.between(2, 20) : undefined,
  }
  let residual: IntegerTensor | undefined
  if (format !== 's32' && random.chance(0.4)) {
    // The residual comes from a second input of the output's shape.
    const probe = builder.convolution(input, { ...choice, multipliers: 'fill' })
    residual = builder.input(probe.height, probe.width, probe.channels, format)
    choice = { ...choice, residual }
  }
  const output = builder.convolution(input, choice)
  builder.output(output, random.pick(['u8', 's8']), random.pick(['nchw', 'nhwc']))
  const made = builder.instructions.at(-1)
  const left = made !== undefined && 'requantisation' in made ? made.requantisation.left : 0
  count(
    form,
    `${input.format} to ${format}`,
    choice.depthwise === true && channels % 8 === 0 && `depthwise ${input.format} to ${format}`,
    residual !== undefined && `residual ${format}`,
    residual !== undefined && choice.depthwise === true && channels % 8 === 0 && `depthwise residual ${format}`,
    made !== undefined && 'bias' in made && readsStored(made) && 'reads the stored input',
    choice.groupSize !== undefined && `factors ${form}`,
    choice.groupSize !== undefined && choice.weightFormat === 'u8' && 'factors and zero points',
    choice.weightFormat === 's4' && 'two codes per byte',
    residual !== undefined && `residual ${form === 'dense' ? 'plain' : form}`,
    left > 0 && 'left shift',
    choice.weightFormat === 'u8' && 'weight zero points',
    choice.inputZeroPoints === 'channel' && 'zero points per channel',
    channels % 8 === 0 && `whole vectors ${form}`,
    (choice.groups ?? 1) > 1 &&
      !choice.depthwise &&
      (choice.outputs / (choice.groups ?? 1)) % 8 === 0 &&
      'groups fill panels',
    (choice.groups ?? 1) > 1 &&
      !choice.depthwise &&
      (choice.outputs / (choice.groups ?? 1)) % 8 !== 0 &&
      'groups cut panels',
    output.height * output.width < 4 && 'fewer than 4 pixels',
    (output.height * output.width) % 4 !== 0 && 'pixels not in fours',
    `output width ${output.width}`,
  )
  if (form !== 'dense') countWindow(window)
  if (!extreme) count(isFilled(builder, output) ? 'filled' : 'saturated')
  compareProgram(builder, random)
}

const CASES = 300
const BATCH = 50
const batches = Array.from({ length: CASES / BATCH }, (_, index) => index * BATCH)

describe('convolutions, depthwise and dense layers equal the scalar meaning', () => {
  it.each(batches)('cases from %i, results spread over their range', (first) => {
    for (let seed = first; seed < first + BATCH; seed++) drawConvolution(seed, false)
  })

  it.each(batches)('cases from %i, extreme multipliers and shifts', (first) => {
    for (let seed = first; seed < first + BATCH; seed++) drawConvolution(100_000 + seed, true)
  })

  it('more pixels than a block, and every output width', () => {
    for (let width = 1; width <= 9; width++) {
      const random = createRandom(5000 + width)
      const builder = createBuilder(`block ${width}`, random)
      // Blocks have 96 pixels: one short of two, exactly two, one and three more.
      const height = Math.ceil((190 + width) / width)
      const input = builder.input(height, width, 8 + (width % 3))
      const window: Window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] }
      builder.output(builder.convolution(input, { outputs: 17, window }))
      builder.output(
        builder.convolution(input, { outputs: input.channels, groups: input.channels, depthwise: true, window }),
      )
      compareProgram(builder, random)
    }
  })

  it('blocks of long pixels', () => {
    // 8,192 bytes of input a pixel, 48 of them in a block: 49 pixels go in blocks of 28, 145 in blocks of 40.
    for (const pixels of [48, 49, 145]) {
      const random = createRandom(pixels)
      const builder = createBuilder(`long ${pixels}`, random)
      const input = builder.input(pixels, 1, 4096)
      const window: Window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
      builder.output(builder.convolution(input, { outputs: 17, window }))
      compareProgram(builder, random)
    }
  })

  afterAll(() => {
    const missing = [
      ...['plain', 'grouped', 'depthwise', 'dense', 'left shift', 'weight zero points', 'zero points per channel'],
      ...['s8', 's16'].flatMap((from) => ['s8', 's16', 's32'].map((to) => `${from} to ${to}`)),
      ...['s8', 's16'].flatMap((from) => ['s8', 's16'].map((to) => `depthwise ${from} to ${to}`)),
      ...['factors plain', 'factors grouped', 'factors depthwise', 'factors dense', 'factors and zero points'],
      ...[
        'residual s8',
        'residual s16',
        'depthwise residual s8',
        'depthwise residual s16',
        'two codes per byte',
        'reads the stored input',
      ],
      ...['residual plain', 'residual grouped', 'residual depthwise', 'whole vectors plain', 'whole vectors depthwise'],
      ...['groups fill panels', 'groups cut panels', 'fewer than 4 pixels', 'pixels not in fours', 'dilated'],
      ...['padded unevenly', 'unpadded', 'stride 1', 'stride 2', 'stride 3'],
      ...['1×1', '3×3', '5×5', '7×7', '2×2', '4×4', '1×3', '3×1', '2×5'].map((size) => `kernel ${size}`),
      ...Array.from({ length: 9 }, (_, index) => `output width ${index + 1}`),
    ].filter((property) => (seen.get(property) ?? 0) < 8)
    expect(missing).toEqual([])
    expect(seen.get('filled')).toBeGreaterThan(0.9 * CASES)
  })
})

describe('other instructions equal the scalar meaning', () => {
  type Build = (builder: GraphBuilder, random: Random) => IntegerTensor
  const draw = (cases: number, first: number, build: Build, leastFilled = 0.9): void => {
    let filled = 0
    for (let seed = first; seed < first + cases; seed++) {
      const random = createRandom(seed)
      const builder = createBuilder(`case ${seed}`, random)
      const output = build(builder, random)
      if (random.chance(0.5)) builder.output(output, random.pick(['u8', 's8']), random.pick(['nchw', 'nhwc']))
      else builder.outputInAnyOrder(output, random.pick(['u8', 's8']))
      if (isFilled(builder, output)) filled++
      compareProgram(builder, random)
    }
    expect(filled).toBeGreaterThanOrEqual(leastFilled * cases)
  }
  const poolWindowOf = (random: Random): Window => {
    const kernel = random.pick([
      [2, 2],
      [3, 3],
      [1, 4],
      [7, 7],
      [5, 1],
      [1, 1],
    ] as const)
    const dilations = [random.pick([1, 1, 2]), random.pick([1, 1, 2])] as const
    const pad = (axis: 0 | 1): number =>
      random.chance(0.5) ? 0 : random.between(0, (kernel[axis] - 1) * dilations[axis])
    return {
      kernel,
      strides: [random.between(1, 3), random.between(1, 3)],
      dilations,
      pads: [pad(0), pad(1), pad(0), pad(1)],
    }
  }
  const anyInput = (builder: GraphBuilder, random: Random): IntegerTensor =>
    builder.input(
      random.between(1, 9),
      random.between(1, 9),
      random.between(1, 40),
      random.pick(['u8', 's8', 's16']),
      random.pick(['nchw', 'nhwc']),
    )
  const poolInput = (builder: GraphBuilder, random: Random, window: Window): IntegerTensor =>
    drawInput(builder, random, window, random.between(1, 40), 60, random.pick(['u8', 's8', 's16']))

  it('max-pool', () =>
    draw(
      80,
      10_000,
      (builder, random) => {
        const window = poolWindowOf(random)
        return builder.maxPool(poolInput(builder, random, window), window)
      },
      0.5,
    ))

  it('average-pool', () =>
    draw(80, 11_000, (builder, random) => {
      const window = poolWindowOf(random)
      return builder.averagePool(poolInput(builder, random, window), window, random.pick(['s8', 's16']))
    }))

  it('average-pool over a whole tensor', () =>
    draw(40, 12_000, (builder, random) => {
      const input = builder.input(random.between(1, 14), random.between(1, 14), random.between(1, 70))
      return builder.averagePool(input, {
        kernel: [input.height, input.width],
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0, 0, 0, 0],
      })
    }))

  it('add, also of a tensor and itself', () =>
    draw(80, 13_000, (builder, random) => {
      const left = anyInput(builder, random)
      const right = random.chance(0.2)
        ? left
        : builder.input(left.height, left.width, left.channels, left.format === 's16' ? 's16' : 's8')
      return builder.add(left, right)
    }))

  it('table', () =>
    draw(60, 14_000, (builder, random) => {
      const input = builder.input(random.between(1, 9), random.between(1, 9), random.between(1, 40))
      return builder.table(input, random.pick(['s8', 's16']))
    }))

  it('move: selections with fill', () =>
    draw(120, 15_000, (builder, random) => builder.select(anyInput(builder, random)), 0.2))

  it('move: axes split, turned round, permuted and repeated', () =>
    draw(300, 18_000, (builder, random) => builder.permute(anyInput(builder, random)), 0.8))

  it('move: long runs, and transpositions in blocks', () => {
    for (const format of ['s8', 's16'] as const)
      for (const [height, width, channels] of [
        [4, 33, 64],
        [3, 50, 17],
        [2, 20, 320],
        [16, 16, 24],
      ] as const) {
        const random = createRandom(19_000 + width)
        const builder = createBuilder('large moves', random)
        const input = builder.input(height, width, channels, format)
        for (let i = 0; i < 12; i++) builder.outputInAnyOrder(builder.permute(input), 'u8')
        builder.output(builder.concat([input, input], 'width'), 's8', 'nhwc')
        builder.output(builder.select(input), 'u8', 'nchw')
        compareProgram(builder, random)
      }
  })

  it('constant tensors, as operands and as outputs', () =>
    draw(40, 20_000, (builder, random) => {
      const input = anyInput(builder, random)
      const { height, width, channels } = input
      const constant = builder.constant(height, width, channels, input.format === 's16' ? 's16' : 's8')
      if (random.chance(0.3)) builder.output(constant)
      return random.chance(0.5) ? builder.add(constant, input) : builder.concat([input, constant], 'channels')
    }))

  it('move: tensors side by side along every axis, of channel counts that fill no vector', () =>
    draw(90, 16_000, (builder, random) => {
      const axis = random.pick(['height', 'width', 'channels'] as const)
      const first = anyInput(builder, random)
      const size = { height: first.height, width: first.width, channels: first.channels }
      size[axis] = random.between(1, 9)
      const second = builder.input(size.height, size.width, size.channels, first.format === 's16' ? 's16' : 's8')
      return builder.concat(random.pick([[first, second], [second, first, second], [first]]), axis)
    }))

  it('import and export in every format and order', () => {
    for (const from of ['u8', 's8', 's16'] as const)
      for (const to of ['u8', 's8'] as const)
        for (const inward of ['nchw', 'nhwc'] as const)
          for (const outward of ['nchw', 'nhwc'] as const)
            for (const channels of [1, 3, 8, 13]) {
              const random = createRandom(16_000 + channels)
              const builder = createBuilder('rim', random)
              builder.output(builder.input(3, 5, channels, from, inward), to, outward)
              compareProgram(builder, random)
            }
  })

  it('a table sees every code', () => {
    const random = createRandom(17_000)
    const builder = createBuilder('codes', random)
    builder.output(builder.table(builder.input(16, 16, 1, 's8')))
    const graph = builder.graph()
    const codes = Int8Array.from({ length: 256 }, (_, index) => index - 128)
    const inputs = new Map([['x0', codes]])
    expect(runNetwork(loadGraph(graph), inputs)).toEqual(interpret(graph, inputs))
    const [instruction] = builder.instructions
    expect(interpret(graph, inputs).get('y0')).toEqual(instruction?.kind === 'table' && instruction.table)
  })
})
