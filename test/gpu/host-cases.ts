/**
 * What every place with WebGPU is asked, as one list: integer graphs that need each kind of instruction and each family of
 * kernels, and the networks of the examples, with the hash of what the scalar meaning gives. A job travels as JSON, so that
 * Node and a page read the same.
 */
import { hashOutputs } from '../../bench/hosts/execute.mjs'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { graphOf, randomSoftmax, tensorOf } from '../../src/gpu/single-instruction.fixture.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { LONG_ROW } from '../../src/kernels/gpu/rows.ts'
import type { IntegerGraph, Window } from '../../src/lower/integer-graph.ts'
import { conv, floatSet, lowered, weights } from '../../src/lower/network.fixture.ts'
import { interval } from '../../src/num/interval.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, moduleOf, randomInputs } from '../../src/program/program.fixture.ts'
import { STORED_RANGES } from '../../src/program/random-convolution.fixture.ts'
import { createBuilder, type GraphBuilder } from '../../src/program/random-graph.fixture.ts'
import { net, scalar } from '../../src/reference/fast/net.fixture.ts'
import type { GpuHeader, GpuLevel } from '../../src/runtime/gpu/program.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { compileNetwork, integerSamples, isPresent, networks } from '../conformance/networks.ts'

export interface HostCase {
  readonly name: string
  readonly batch: number
  readonly graph: IntegerGraph
  readonly header: GpuHeader
  readonly file: Uint8Array
  readonly inputs: Readonly<Record<string, IntegerArray>>
  /** SHA-256 of the outputs of all samples, by the scalar meaning. */
  readonly hash: string
}

/** Samples of a network, one behind the other, port by port. */
function joined(samples: readonly ReadonlyMap<string, IntegerArray>[]): Record<string, IntegerArray> {
  const [first] = samples as [ReadonlyMap<string, IntegerArray>]
  return Object.fromEntries(
    [...first].map(([name, values]) => {
      const all = new (values.constructor as Int32ArrayConstructor)(values.length * samples.length)
      for (const [i, sample] of samples.entries()) all.set(sample.get(name) as Int32Array, i * values.length)
      return [name, all as IntegerArray]
    }),
  )
}

async function caseOf(
  name: string,
  graph: IntegerGraph,
  samples: readonly ReadonlyMap<string, IntegerArray>[],
): Promise<HostCase> {
  const program = emitGpuProgram(graph)
  return {
    name,
    batch: samples.length,
    graph,
    header: program.header,
    file: writeGpuProgram(program),
    inputs: joined(samples),
    hash: await hashOutputs(joined(samples.map((sample) => interpret(graph, sample)))),
  }
}

const window = (kernel: number, stride = 1, pad = 0): Window => ({
  kernel: [kernel, kernel],
  strides: [stride, stride],
  dilations: [1, 1],
  pads: [pad, pad, pad, pad],
})

/** Products of matrices: dense or not, weights of bytes or wider, lanes in eights or sixteens. */
const PRODUCTS = [false, true].flatMap((dense) =>
  (['s8', 'u8'] as const).flatMap((weightFormat) =>
    [
      [12, 20],
      [16, 32],
    ].map(([channels, outputs]) => {
      const kind = `${dense ? 'dense' : 'window'} ${weightFormat} ${channels} to ${outputs}`
      const build = (builder: GraphBuilder): void => {
        const input = builder.input(6, 5, channels as number)
        const choice = { outputs: outputs as number, window: dense ? window(1) : window(3, 1, 1), weightFormat }
        builder.output(builder.convolution(input, { ...choice, inputZeroPoints: 'channel' }))
      }
      return [kind, build] as const
    }),
  ),
)

const GROWN: readonly (readonly [string, (builder: GraphBuilder) => void])[] = [
  [
    'residuals',
    (builder) => {
      const input = builder.input(6, 6, 16)
      const first = builder.convolution(input, { outputs: 16, window: window(1) })
      builder.output(builder.convolution(first, { outputs: 16, window: window(1), residual: input }))
    },
  ],
  [
    'weights of four bits',
    (builder) => {
      const input = builder.input(1, 1, 64)
      builder.output(builder.convolution(input, { outputs: 32, window: window(1), weightFormat: 's4' }))
    },
  ],
  [
    'depthwise and grouped convolutions',
    (builder) => {
      const input = builder.input(7, 6, 12)
      const wide = builder.input(5, 5, 9, 's16')
      builder.output(builder.convolution(input, { outputs: 12, groups: 12, depthwise: true, window: window(3, 1, 1) }))
      builder.output(builder.convolution(input, { outputs: 8, groups: 4, window: window(2) }))
      builder.output(builder.convolution(wide, { outputs: 6, window: window(3), format: 's32' }))
      const narrow = builder.input(5, 5, 4, 's16', 'nchw', interval(-900, 900))
      builder.output(builder.convolution(narrow, { outputs: 6, window: window(3), weightFormat: 'u8' }))
      builder.output(builder.convolution(narrow, { outputs: 6, window: window(1), weightFormat: 'u8' }))
    },
  ],
  [
    'sums, pools and tables',
    (builder) => {
      const input = builder.input(8, 7, 11)
      const wide = builder.input(8, 7, 11, 's16')
      builder.output(builder.add(input, builder.constant(8, 7, 11)))
      builder.output(builder.maxPool(wide, window(3, 2, 1)))
      builder.output(builder.averagePool(input, window(2, 2)))
      builder.output(builder.averagePool(wide, window(3)))
      builder.output(builder.table(input, 's16'))
    },
  ],
  [
    'codes to other places',
    (builder) => {
      const input = builder.input(5, 6, 13, 'u8', 'nhwc')
      builder.outputInAnyOrder(builder.permute(builder.select(input)), 'u8')
      builder.output(builder.concat([input, builder.table(input)], 'channels'))
      builder.output(builder.concat([builder.input(3, 4, 8), builder.input(3, 4, 16)], 'channels'))
      builder.output(builder.concat([input, builder.table(input)], 'height'), 's8', 'nhwc')
    },
  ],
  [
    'products and look-ups',
    (builder) => {
      const size = { rows: 7, inner: 19, columns: 12, batches: [3, 2] }
      builder.output(builder.product(size, ['s16', 's8', 's16']))
      builder.output(builder.product(size, ['s8', 's8', 's8']))
      builder.output(builder.lookup(builder.indices(8, 6), 14, 2))
    },
  ],
  ...[37, LONG_ROW + 8].map((channels): (typeof GROWN)[number] => [
    `rows of ${channels} channels`,
    (builder) => {
      const input = builder.input(1, 2, channels)
      const wide = builder.input(1, 2, channels, 's16')
      builder.output(builder.normalize(input, 's16'))
      for (const rule of ['shift', 'shift-deployment', 'poly'] as const) {
        builder.output(builder.normalize(input, 's8', rule))
        builder.output(builder.familySoftmax(wide, rule, 's8'))
      }
      builder.output(builder.shiftGelu(input))
    },
  ]),
]

/** Float networks whose lowering needs what the builder of graphs does not have. */
const LOWERED: readonly (readonly [string, readonly number[], Graph, 's8' | 's16'])[] = [
  [
    'products of values',
    [4, 5, 6],
    net({ x: [1, 4, 5, 6] }, [conv('x', 4, 4, 1, 1), { operator: 'Mul', inputs: ['x', 'v0'] }]),
    's8',
  ],
  [
    'shares and curves',
    [6, 20],
    net({ x: [1, 6, 20] }, [
      { operator: 'MatMul', inputs: ['x', weights(20, 24)] },
      { operator: 'Softmax', inputs: ['v0'], attributes: { axis: -1 } },
      { operator: 'MatMul', inputs: ['v1', weights(24, 8)] },
      { operator: 'Tanh', inputs: ['v2'] },
    ]),
    's16',
  ],
  [
    'factors and other sizes',
    [5, 4, 6],
    net(
      { x: [1, 5, 4, 6] },
      [
        { operator: 'PRelu', inputs: ['x', weights(5, 1, 1)] },
        {
          operator: 'Resize',
          inputs: ['v0', '', { shape: [4], values: [1, 1, 1.5, 1.5] }],
          attributes: { mode: 'linear', coordinate_transformation_mode: 'half_pixel' },
        },
      ],
      ['v0', 'v1'],
    ),
    's8',
  ],
  [
    'lengths',
    [4, 12],
    net({ x: [1, 4, 12] }, [
      { operator: 'MatMul', inputs: ['x', weights(12, 8)] },
      { operator: 'MatMul', inputs: ['x', weights(12, 8)] },
      { operator: 'Mul', inputs: ['v0', 'v0'] },
      { operator: 'Mul', inputs: ['v1', 'v1'] },
      { operator: 'Add', inputs: ['v2', 'v3'] },
      { operator: 'Sqrt', inputs: ['v4'] },
      { operator: 'Mul', inputs: ['v5', scalar(0.5)] },
    ]),
    's8',
  ],
]

/** The builder has no softmax, and float networks of this length have shares below their scale. */
function longSoftmax(): IntegerGraph {
  const size = [1, 2, LONG_ROW + 8] as const
  const input = tensorOf(0, 's8', size)
  const drawn = { ...randomSoftmax(input, 's16', createRandom(2)), one: 32768, clamp: STORED_RANGES.s16 }
  return graphOf({ ...drawn, outputZeroPoint: 0, name: 'softmax', output: tensorOf(1, 's16', size) }, [input])
}

/** Of test/conformance/networks.ts, those that a processor computes in a second, and how many samples of each. */
export const NETWORKS: Readonly<Record<string, number>> = {
  glyphs: 2,
  'glyphs-transformer': 2,
  'resnet20-cifar10': 1,
}

/** All cases, with their expected hashes. */
export async function hostCases(): Promise<HostCase[]> {
  const cases: HostCase[] = []
  const add = async (name: string, graph: IntegerGraph, batch: number): Promise<void> => {
    const random = createRandom(cases.length + 1)
    const samples = Array.from({ length: batch }, () => randomInputs(graph, random))
    cases.push(await caseOf(name, graph, samples))
  }
  for (const [index, [name, build]] of [...PRODUCTS, ...GROWN].entries()) {
    const builder = createBuilder(name, createRandom(index + 1))
    build(builder)
    await add(name, builder.graph(), 1 + (index % 3))
  }
  await add('a softmax of long rows', longSoftmax(), 2)
  for (const [name, shape, graph, activations] of LOWERED)
    await add(name, (await lowered(graph, floatSet(shape), { activations })).integers, 2)
  for (const network of networks.filter((one) => one.name in NETWORKS && isPresent(one))) {
    const { program } = await compileNetwork(network)
    const samples = (await integerSamples(network, program)).slice(0, NETWORKS[network.name])
    const maps = samples.map((sample) => new Map(Object.entries(sample)))
    cases.push(await caseOf(network.name, program.integerGraph, maps))
  }
  return cases
}

const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

/** What a host does: each case at a level, or at the fastest one where none is named. */
export interface HostRun {
  readonly name: string
  readonly level?: GpuLevel
  /** Loads as a caller who names nothing: the host finds its own device. Else all runs of a host share one. */
  readonly alone?: boolean
}

/** A case as it travels. */
function encoded({ batch, file, inputs }: HostCase): object {
  const ports = Object.entries(inputs).map(([name, values]) => ({
    name,
    type: values.constructor.name,
    base64: base64(values),
  }))
  return { batch, file: base64(file), inputs: ports }
}

/** The runs as text, for `runJob` of test/gpu/run-job.mjs. */
export function encodeJob(cases: readonly HostCase[], runs: readonly HostRun[]): string {
  return JSON.stringify({ cases: Object.fromEntries(cases.map((one) => [one.name, encoded(one)])), runs })
}

/** One case with its WebAssembly module, for `runUntilLost`. */
export function encodeBoth(one: HostCase): string {
  return JSON.stringify({ ...encoded(one), wasm: base64(moduleOf(one.graph)) })
}
