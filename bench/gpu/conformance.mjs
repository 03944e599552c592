/**
 * Random convolutions on every level, byte for byte what the scalar meaning gives, until the time is over. Reads the
 * TypeScript sources, whose generators are not part of the package: Node 22.18 or newer.
 */

import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { interpret } from '../../src/program/interpret.ts'
import { createRandom, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { load } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { benchDevice } from './dawn.mjs'

/** A convolution of any shape that the products of matrices take, sometimes with a residual. */
function drawGraph(seed) {
  const random = createRandom(seed)
  const builder = createBuilder(`convolution ${seed}`, random)
  const kernel = random.pick([1, 1, 2, 3, 3, 5])
  const [height, width] = [random.between(kernel, 12), random.between(kernel, 12)]
  const aligned = random.chance(0.5)
  const channels = aligned ? 16 * random.between(1, 6) : random.between(1, 80)
  const outputs = aligned ? 16 * random.between(1, 6) : random.between(1, 100)
  const pad = random.chance(0.5) ? (kernel - 1) >> 1 : 0
  const stride = random.pick([1, 1, 2])
  const window = { kernel: [kernel, kernel], strides: [stride, stride], dilations: [1, 1], pads: [pad, pad, pad, pad] }
  const input = builder.input(height, width, channels, random.pick(['u8', 's8']))
  const format = random.pick(['s8', 's8', 's16', 's32'])
  const first = builder.convolution(input, {
    outputs,
    window,
    format,
    inputZeroPoints: random.pick(['none', 'uniform', 'channel']),
    multipliers: random.pick(['fill', 'fill', 'left', 'extreme']),
    weightFormat: random.pick(['s8', 's8', 'u8']),
  })
  builder.output(first)
  if (format !== 's32' && random.chance(0.5)) {
    const pointwise = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
    const narrow = format === 's8' ? first : builder.convolution(input, { outputs, window })
    builder.output(builder.convolution(narrow, { outputs, window: pointwise, residual: first, format }))
  }
  return { graph: builder.graph(), random }
}

export async function runConformance(gpu, { seconds, first = 1 }) {
  const { adapter, device, levels } = await benchDevice(gpu)
  const rows = levels.map((level) => ({ level, graphs: 0, equal: 0, wrong: [], refused: {} }))
  const end = performance.now() + 1000 * seconds
  for (let seed = first; performance.now() < end; seed++) {
    const { graph, random } = drawGraph(seed)
    const batch = random.pick([1, 3])
    const samples = Array.from({ length: batch }, () => randomInputs(graph, random))
    const expected = samples.map((sample) => interpret(graph, sample))
    const file = writeGpuProgram(emitGpuProgram(graph))
    for (const row of rows) {
      row.graphs++
      try {
        const network = await load(file, { gpu, adapter, device, batch, level: row.level })
        const inputs = Object.fromEntries(
          [...samples[0]].map(([name, values]) => {
            const all = new values.constructor(values.length * batch)
            for (const [i, sample] of samples.entries()) all.set(sample.get(name), i * values.length)
            return [name, all]
          }),
        )
        const found = await network.runInteger(inputs)
        network.destroy()
        for (const { name, reason } of network.refused) row.refused[name] = reason
        const equal = expected.every((image, i) =>
          [...image].every(([name, values]) =>
            values.every((value, j) => found[name][i * values.length + j] === value),
          ),
        )
        if (equal) row.equal++
        else row.wrong.push(seed)
      } catch (error) {
        row.wrong.push(`${seed}: ${String(error).slice(0, 300)}`)
      }
    }
  }
  device.destroy()
  for (const row of rows) {
    row.wrong.splice(20)
    console.error(JSON.stringify(row))
  }
  return rows
}
