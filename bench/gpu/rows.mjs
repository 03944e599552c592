/**
 * Softmax, normalisation and ShiftGELU over rows of channels: integers against the scalar meaning, and microseconds of a
 * dispatch for several numbers of threads that may share a row; `chosen` is the number that the compiler takes. Reads the
 * TypeScript sources: Node 22.18 or newer.
 *
 * node bench/gpu/rows.mjs <result.json> [--quick]
 */
import { writeFileSync } from 'node:fs'
import { emitGraph } from '../../src/gpu/emit-graph.ts'
import { shaderOf } from '../../src/gpu/shader.ts'
import { graphOf, randomSoftmax, tensorOf } from '../../src/gpu/single-instruction.fixture.ts'
import { GPU_KERNELS } from '../../src/kernels/gpu/kernels.ts'
import { interpret } from '../../src/program/interpret.ts'
import { createRandom, randomInputs } from '../../src/program/program.fixture.ts'
import { randomFamilySoftmax, randomNormalize, randomShiftGelu } from '../../src/program/random-rows.fixture.ts'
import { createSession } from '../../src/runtime/gpu/session.ts'
import { readBack, timeRuns } from './clock.mjs'
import { benchDevice, createGpu, describeAdapter } from './dawn.mjs'

const KINDS = {
  softmax: randomSoftmax,
  normalize: (input, format, random) => randomNormalize(input, format, 'exact', random),
  'normalize by shifts': (input, format, random) => randomNormalize(input, format, 'shift', random),
  'normalize by the polynomial': (input, format, random) => randomNormalize(input, format, 'poly', random),
  'softmax by shifts': (input, format, random) => randomFamilySoftmax(input, format, 'shift', random),
  'softmax by the polynomial': (input, format, random) => randomFamilySoftmax(input, format, 'poly', random),
  'shift-gelu': (input, format, random) => randomShiftGelu(input, 'gelu', format, random),
}

/** Attention and residuals of vit-cifar10, DeiT-Small and BERT-base-128, a classifier's end, and one long row. */
const SHAPES = [
  ['softmax', 65 * 3, 65, 's16', 's8'],
  ['softmax', 197 * 6, 197, 's16', 's8'],
  ['softmax', 128 * 12, 128, 's8', 's8'],
  ['softmax', 1, 1000, 's8', 's16'],
  ['softmax', 1, 30522, 's16', 's16'],
  ['normalize', 65, 192, 's16', 's8'],
  ['normalize', 197, 384, 's16', 's8'],
  ['normalize', 128, 768, 's16', 's8'],
  ['normalize by shifts', 197, 384, 's16', 's8'],
  ['normalize by the polynomial', 197, 384, 's16', 's8'],
  ['softmax by shifts', 197 * 6, 197, 's16', 's8'],
  ['softmax by the polynomial', 197 * 6, 197, 's16', 's8'],
  ['shift-gelu', 197, 1536, 's8', 's8'],
]

/** Where a dispatch of rows has the binary logarithm of the threads of a row: behind addresses, pixels, channels, stride. */
const LANE_BITS = 5

export async function measureRows(gpu, { batches, times, shapes = SHAPES }) {
  const { device } = await benchDevice(gpu)
  const rows = []
  for (const [kind, pixels, channels, from, to] of shapes) {
    const random = createRandom(pixels + channels)
    const size = [1, pixels, channels]
    const input = tensorOf(0, from, size)
    const instruction = { ...KINDS[kind](input, to, random), name: kind, output: tensorOf(1, to, size) }
    const graph = graphOf(instruction, [input])
    const sample = randomInputs(graph, random)
    const expected = interpret(graph, sample).get('y')
    const { header, constants } = emitGraph(graph)
    const at = header.dispatches.findIndex(({ name }) => name === kind)
    const dispatch = header.dispatches[at]
    const chosen = dispatch.words[LANE_BITS]
    const family = dispatch.family.replace(/-long$/, '')
    for (const batch of batches)
      for (const threads of [64, 256])
        for (let laneBits = Math.max(0, chosen - 3); 2 ** laneBits <= Math.min(threads, channels / 2); laneBits++) {
          const long = threads === 256
          const words = dispatch.words.with(LANE_BITS, laneBits)
          const tried = {
            ...dispatch,
            family: long ? `${family}-long` : family,
            words,
            extent: [pixels << laneBits, 1, 1],
          }
          const row = { kind, pixels, channels, formats: `${from} ${to}`, batch, threads, lanes: 2 ** laneBits }
          row.chosen = laneBits === chosen && long === dispatch.family.endsWith('-long')
          const program = {
            header: { ...header, shaders: GPU_KERNELS.map(shaderOf), dispatches: header.dispatches.with(at, tried) },
            constants,
          }
          const session = await createSession(device, program, batch, ['plain'])
          const [source] = header.inputs
          const [target] = header.outputs
          const codes = sample.get('x0')
          const bytes = new Uint8Array(source.imageBytes * batch)
          for (let image = 0; image < batch; image++)
            bytes.set(new Uint8Array(codes.buffer, 0, codes.byteLength), image * source.imageBytes)
          device.queue.writeBuffer(session.arena, session.offsetOf(source), bytes)
          const encoder = device.createCommandEncoder()
          const pass = encoder.beginComputePass()
          session.encode(pass)
          pass.end()
          device.queue.submit([encoder.finish()])
          const all = await readBack(device, session.arena, session.offsetOf(target), target.imageBytes * batch)
          row.wrong = 0
          for (let image = 0; image < batch; image++) {
            const found = new expected.constructor(all.buffer, image * target.imageBytes, expected.length)
            row.wrong += expected.reduce((count, code, i) => count + (code === found[i] ? 0 : 1), 0)
          }
          const alone = { device, encode: (to) => session.encode(to, at, at + 1) }
          row.us = Number((1000 * (await timeRuns(alone, times))).toFixed(2))
          session.destroy()
          rows.push(row)
          console.error(JSON.stringify(row))
        }
  }
  device.destroy()
  return rows
}

if (process.argv[1]?.endsWith('rows.mjs')) {
  const [target, flag] = process.argv.slice(2)
  const gpu = await createGpu()
  const quick = flag === '--quick'
  const options = quick
    ? { batches: [1, 2], times: 2, shapes: SHAPES.map(([kind, , ...rest]) => [kind, 5, ...rest]) }
    : { batches: [1, 32], times: 200 }
  const result = { schema: 1, command: 'bench/gpu/rows', adapter: await describeAdapter(gpu) }
  result.rows = await measureRows(gpu, options)
  result.wrong = result.rows.filter(({ wrong }) => wrong !== 0).length
  writeFileSync(target, `${JSON.stringify(result, null, 1)}\n`)
  process.exit(result.wrong === 0 ? 0 : 1)
}
