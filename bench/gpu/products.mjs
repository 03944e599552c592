/**
 * Both products of attention (queries by keys, scores by values) of known networks on every level and tile, without what lies
 * between: wrong bytes of the first and last image against the scalar meaning, and microseconds of each dispatch.
 *
 * node bench/gpu/products.mjs [--quick]     one JSON line per level, network and batch; exits with 1 when a byte is wrong
 */
import { pathToFileURL } from 'node:url'
import { emitGraph } from '../../dist/gpu/emit-graph.js'
import { channelStride } from '../../dist/kernels/scalar/geometry.js'
import { dyadicRatios } from '../../dist/num/dyadic.js'
import { interpret } from '../../dist/program/interpret.js'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { readBack, timeDispatches, timeRuns } from './clock.mjs'
import { benchDevice, createGpu } from './dawn.mjs'
import { randomCodes } from './random-gemm.mjs'

const NETWORKS = [
  { network: 'deit-small', tokens: 197, heads: 6, size: 64 },
  { network: 'bert-base-128', tokens: 128, heads: 12, size: 64 },
  { network: 'vit-cifar10', tokens: 65, heads: 3, size: 64 },
]

/** Standard deviation of uniform bytes, and of the scores this makes. */
const DEVIATION = 74
const SCORES = 4000

/** Queries, keys and values are constants, the answer bytes. */
export function attentionGraph({ network, tokens, heads, size }) {
  const channels = heads * size
  const tensor = (id, format, height, width, channels) => ({
    id,
    name: `t${id}`,
    format,
    height,
    width,
    channels,
    scale: 1,
    zeroPoint: 0,
    range: format === 's8' ? { low: -128, high: 127 } : { low: -32768, high: 32767 },
  })
  const operands = [0, 1, 2].map((id) => tensor(id, 's8', 1, tokens, channels))
  const [query, key, value] = operands
  const scores = tensor(3, 's16', 1, heads * tokens, tokens)
  const output = tensor(4, 's8', 1, tokens, channels)
  const [lane, row] = [channelStride(channels), channelStride(tokens)]
  const product = (ratio, rest) => {
    const { multipliers, shift } = dyadicRatios([ratio], network)
    const zeros = { leftStart: 0, rightStart: 0, outputStart: 0, leftShift: 0, outputZeroPoint: 0 }
    return { kind: 'product', ...zeros, multiplier: multipliers[0], shift, rows: tokens, ...rest }
  }
  return {
    name: network,
    inputs: [],
    outputs: [{ name: 'y', shape: [1, tokens, channels], format: 's8', layout: 'nhwc', scale: [1], zeroPoint: [0] }],
    tensors: [...operands, scores, output],
    instructions: [
      ...operands.map((tensor, i) => ({
        kind: 'constant',
        name: tensor.name,
        output: tensor,
        codes: randomCodes(20 + i, tokens * channels),
      })),
      product(SCORES / (DEVIATION ** 2 * Math.sqrt(size)), {
        name: 'queries by keys',
        left: query,
        right: key,
        output: scores,
        batches: [{ count: heads, leftStep: size, rightStep: size, outputStep: tokens * row }],
        inner: size,
        columns: tokens,
        leftSteps: { row: lane, inner: 1 },
        rightSteps: { inner: 1, column: lane },
        outputSteps: { row, column: 1 },
        leftZeroPoint: 3,
        rightZeroPoint: -2,
        clamp: { low: -32768, high: 32767 },
      }),
      product(50 / (DEVIATION * SCORES * Math.sqrt(tokens)), {
        name: 'scores by values',
        left: scores,
        right: value,
        output,
        batches: [{ count: heads, leftStep: tokens * row, rightStep: size, outputStep: size }],
        inner: tokens,
        columns: size,
        leftSteps: { row, inner: 1 },
        rightSteps: { inner: lane, column: 1 },
        outputSteps: { row: lane, column: 1 },
        leftZeroPoint: 0,
        rightZeroPoint: 5,
        clamp: { low: -128, high: 127 },
      }),
      {
        kind: 'export',
        name: 'y',
        input: output,
        outputName: 'y',
        format: 's8',
        start: 0,
        loops: [{ count: tokens * channels, step: 1 }],
      },
    ],
  }
}

export async function measureProducts(gpu, { batches, times, networks = NETWORKS }) {
  const { device, levels } = await benchDevice(gpu)
  const rows = []
  for (const sizes of networks) {
    const graph = attentionGraph(sizes)
    const program = emitGraph(graph)
    const [port] = program.header.outputs
    const answer = interpret(graph, new Map()).get('y')
    for (const batch of batches)
      for (const level of levels) {
        const row = { network: sizes.network, batch, level }
        try {
          const session = await createSession(device, program, batch, [level, 'plain'])
          const runMs = await timeRuns(session, times)
          const micros = await timeDispatches(session)
          const bytes = await readBack(device, session.arena, session.offsetOf(port), port.imageBytes * batch)
          const wrong = answer.reduce(
            (count, code, i) =>
              [0, batch - 1].reduce(
                (sum, image) => sum + ((bytes[image * port.imageBytes + i] << 24) >> 24 === code ? 0 : 1),
                count,
              ),
            0,
          )
          const kernels = session.shaders.map(({ name }) => name)
          rows.push({ ...row, wrong, of: 2 * answer.length, kernels, micros, runMs: Number(runMs.toFixed(4)) })
          session.destroy()
        } catch (error) {
          rows.push({ ...row, error: String(error).slice(0, 1500) })
        }
        console.error(JSON.stringify(rows.at(-1)))
      }
  }
  device.destroy()
  return rows
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const quick = process.argv.includes('--quick')
  const small = [{ network: 'small', tokens: 37, heads: 2, size: 32 }]
  const rows = await measureProducts(await createGpu(), {
    batches: quick ? [1, 2] : [1, 32],
    times: quick ? 2 : 50,
    ...(quick ? { networks: small } : {}),
  })
  process.exit(rows.some(({ wrong }) => wrong !== 0) ? 1 : 0)
}
