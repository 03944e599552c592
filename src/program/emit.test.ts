/**
 * Whole random programs: chains of instructions with residuals, several inputs and outputs, against the scalar meaning. What
 * they test beyond single kernels is emission itself: addresses, lifetimes, start-up, one instruction after another.
 */
import { describe, expect, it } from 'vitest'
import type { IntegerGraph, IntegerTensor, Window } from '../lower/integer-graph.ts'
import { emitProgram, reads } from './emit.ts'
import { interpret } from './interpret.ts'
import { PAGE_BYTES } from './module.ts'
import { createRandom, loadGraph, moduleOf, type Random, randomInputs, runNetwork } from './program.fixture.ts'
import { outputSize } from './random-convolution.fixture.ts'
import { createBuilder, type GraphBuilder } from './random-graph.fixture.ts'
import { verifyModule } from './verify.ts'

function chainWindow(random: Random, input: IntegerTensor, shrink: boolean): Window {
  const size = (axis: 'height' | 'width'): number => random.pick([1, 2, 3, 3].filter((kernel) => kernel <= input[axis]))
  const kernel = [size('height'), size('width')] as const
  // Same size, unless it may shrink: residuals need tensors of one shape.
  const strides = [shrink ? random.between(1, 2) : 1, shrink ? random.between(1, 2) : 1] as const
  const before = (axis: 0 | 1): number => (kernel[axis] - 1) >> 1
  const after = (axis: 0 | 1): number => kernel[axis] - 1 - before(axis)
  return { kernel, strides, dilations: [1, 1], pads: [before(0), before(1), after(0), after(1)] }
}

/** One random step on a tensor; earlier tensors of the same shape serve as residuals and second addends. */
function addStep(
  builder: GraphBuilder,
  random: Random,
  input: IntegerTensor,
  earlier: readonly IntegerTensor[],
): IntegerTensor {
  const alike = (shape: Pick<IntegerTensor, 'height' | 'width' | 'channels' | 'format'>): IntegerTensor[] =>
    earlier.filter(
      ({ format, height, width, channels }) =>
        format === shape.format && height === shape.height && width === shape.width && channels === shape.channels,
    )
  const kind = random.pick([
    'convolution',
    'convolution',
    'residual',
    'depthwise',
    'add',
    'pool',
    'table',
    'select',
    'concat',
    'permute',
    'constant',
    'normalize',
    'family-softmax',
    'shift-gelu',
    'product',
    'lookup',
  ] as const)
  switch (kind) {
    case 'convolution': {
      const window = chainWindow(random, input, random.chance(0.2))
      const outputs = random.chance(0.5) ? input.channels : random.between(1, 24)
      return builder.convolution(input, {
        outputs,
        window,
        inputZeroPoints: 'uniform',
        weightFormat: random.pick(['s8', 'u8', 's4']),
        format: random.pick(['s8', 's8', 's16']),
        groupSize: random.chance(0.2) ? random.between(2, 9) : undefined,
      })
    }
    case 'residual': {
      const window = chainWindow(random, input, false)
      const made = {
        height: outputSize(input.height, window, 0),
        width: outputSize(input.width, window, 1),
        channels: input.channels,
        format: input.format,
      }
      const residual = random.pick(alike(made))
      return builder.convolution(input, { outputs: input.channels, window, residual, format: input.format })
    }
    case 'depthwise':
      return builder.convolution(input, {
        outputs: input.channels,
        groups: input.channels,
        depthwise: input.channels > 1,
        window: chainWindow(random, input, random.chance(0.2)),
        format: random.pick(['s8', 's16']),
      })
    case 'add':
      return builder.add(input, random.pick(alike(input)))
    case 'pool': {
      const window = chainWindow(random, input, random.chance(0.5))
      return random.chance(0.5)
        ? builder.maxPool(input, window)
        : builder.averagePool(input, window, random.pick(['s8', 's16']))
    }
    case 'table':
      return input.format === 's8' ? builder.table(input, random.pick(['s8', 's16'])) : builder.permute(input)
    case 'select':
      return builder.select(input)
    case 'concat':
      return builder.concat(
        [input, random.pick(alike(input)), input].slice(random.between(0, 1)),
        random.pick(['height', 'width', 'channels']),
      )
    case 'permute':
      return builder.permute(input)
    case 'normalize':
      return builder.normalize(
        input,
        random.pick(['s8', 's16']),
        random.pick(['exact', 'shift', 'shift-deployment', 'poly']),
      )
    case 'family-softmax':
      return builder.familySoftmax(
        input,
        random.pick(['shift', 'shift-deployment', 'poly']),
        random.pick(['s8', 's16']),
      )
    case 'shift-gelu':
      return builder.shiftGelu(input, random.pick(['s8', 's16']))
    case 'product': {
      const size = (): number => random.between(1, 9)
      const format = (): 's8' | 's16' => random.pick(['s8', 's16'])
      return builder.product({ rows: size(), inner: size(), columns: 2 * size(), batches: [2] }, [
        format(),
        format(),
        format(),
      ])
    }
    case 'lookup':
      return builder.lookup(
        builder.indices(random.between(1, 9), 7),
        5,
        random.between(1, 2),
        random.pick(['s8', 's16']),
      )
    case 'constant': {
      const { height, width, channels, format } = input
      const constant = builder.constant(height, width, channels, format === 's16' ? 's16' : 's8')
      return random.chance(0.5) ? builder.add(input, constant) : builder.concat([constant, input], 'channels')
    }
  }
}

function drawChain(seed: number): { graph: IntegerGraph; random: Random; distinct: number } {
  const random = createRandom(seed)
  const builder = createBuilder(`chain ${seed}`, random)
  const height = random.between(3, 8)
  const width = random.between(3, 8)
  const channels = random.between(1, 20)
  const tensors = [builder.input(height, width, channels, 'u8', random.pick(['nchw', 'nhwc']))]
  if (random.chance(0.4)) tensors.push(builder.input(height, width, channels, random.pick(['s8', 's16'])))
  let last = tensors[0] as IntegerTensor
  const steps = random.between(5, 15)
  for (let step = 0; step < steps; step++) {
    const input = random.chance(0.8) ? last : random.pick(tensors)
    if (input.height * input.width * input.channels > 4000) break
    last = addStep(builder, random, input, tensors)
    tensors.push(last)
  }
  builder.output(last, random.pick(['u8', 's8']))
  // An input may be an output too, and a tensor may be exported twice.
  if (random.chance(0.6)) builder.output(random.pick(tensors), 's8', 'nhwc')
  if (random.chance(0.5)) builder.outputInAnyOrder(random.pick(tensors), 'u8')
  if (random.chance(0.3)) {
    const window: Window = { kernel: [last.height, last.width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
    builder.output(builder.convolution(last, { outputs: random.between(1, 12), window, format: 's32' }))
  }
  return { graph: builder.graph(), random, distinct: new Set(builder.sample(last)).size }
}

describe('chains of instructions', () => {
  const batches = Array.from({ length: 6 }, (_, index) => index * 25)

  it.each(batches)('from %i equal the scalar meaning, run after run', (first) => {
    let varied = 0
    for (let seed = first; seed < first + 25; seed++) {
      const { graph, random, distinct } = drawChain(seed)
      if (distinct > 16) varied++
      const network = loadGraph(graph)
      const samples = [randomInputs(graph, random), randomInputs(graph, random)]
      // The third run sees a memory that two others have used, the last a fresh one.
      for (const [index, program] of [
        [0, network],
        [1, network],
        [0, network],
        [1, loadGraph(graph)],
      ] as const) {
        const inputs = samples[index] as (typeof samples)[number]
        const expected = interpret(graph, inputs)
        const found = runNetwork(program, inputs)
        for (const [name, values] of expected)
          if (found.get(name)?.some((value, i) => value !== values[i]))
            expect([seed, name, found.get(name)]).toEqual([seed, name, values])
        expect([...found.keys()]).toEqual([...expected.keys()])
      }
    }
    expect(varied).toBeGreaterThan(8)
  })

  it('give the same module twice, and one that verifies', () => {
    for (let seed = 0; seed < 8; seed++) {
      const module = moduleOf(drawChain(seed).graph)
      expect(moduleOf(drawChain(seed).graph)).toEqual(module)
      expect(verifyModule(module).checks.filter(({ ok }) => !ok)).toEqual([])
    }
  })

  it('no buffer in use is overwritten: every address range of a call stays inside the memory', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { graph } = drawChain(seed)
      const emitted = emitProgram(graph)
      const end = emitted.pages * PAGE_BYTES
      expect(emitted.memory.constantBytes + emitted.memory.arenaBytes).toBeLessThanOrEqual(end)
      expect(end - emitted.memory.constantBytes - emitted.memory.arenaBytes).toBeLessThan(PAGE_BYTES)
      let previous = 0
      for (const { offset, bytes } of emitted.data) {
        expect(offset).toBeGreaterThanOrEqual(previous)
        previous = offset + bytes.length
      }
      expect(previous).toBeLessThanOrEqual(emitted.memory.constantBytes)
      for (const [ports, offsets] of [
        [graph.inputs, emitted.inputOffsets],
        [graph.outputs, emitted.outputOffsets],
      ] as const)
        for (const { name } of ports) expect(offsets.get(name)).toBeGreaterThanOrEqual(emitted.memory.constantBytes)
    }
  })
})

describe('emitProgram', () => {
  it('knows what each instruction reads', () => {
    const random = createRandom(1)
    const builder = createBuilder('reads', random)
    const input = builder.input(3, 3, 4)
    const window: Window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
    const hidden = builder.convolution(input, { outputs: 4, window })
    const sum = builder.add(hidden, input)
    const output = builder.convolution(sum, { outputs: 4, window, residual: hidden })
    const joined = builder.concat([output, builder.constant(3, 3, 2)], 'channels')
    builder.output(joined)
    const constant = joined.id - 1
    const tensors = builder.graph().instructions.map((instruction) => reads(instruction).map(({ id }) => id))
    expect(tensors).toEqual([
      [],
      [input.id],
      [hidden.id, input.id],
      [sum.id, hidden.id],
      [],
      [output.id, constant],
      [joined.id],
    ])
  })

  it('knows that a product reads two tensors', () => {
    const builder = createBuilder('reads', createRandom(1))
    const product = builder.product({ rows: 2, inner: 3, columns: 4, batches: [] }, ['s8', 's8', 's8'])
    const made = builder.instructions.at(-1) as (typeof builder.instructions)[number]
    expect(reads(made).map(({ id }) => id)).toEqual([product.id - 2, product.id - 1])
  })

  it('refuses a program of more than 4 GiB, naming it and its largest buffer', () => {
    const random = createRandom(2)
    const builder = createBuilder('huge', random)
    builder.output(builder.input(2, 2, 3))
    const graph = builder.graph()
    const huge = { ...(graph.tensors[0] as IntegerTensor), height: 30_000, width: 30_000 }
    const instructions = graph.instructions.map((instruction) =>
      instruction.kind === 'import' ? { ...instruction, output: huge } : { ...instruction, input: huge },
    ) as IntegerGraph['instructions']
    expect(() => emitProgram({ ...graph, tensors: [huge], instructions })).toThrow(
      /program "huge" needs \d+ bytes of memory, more than the 4 GiB/,
    )
  })
})
