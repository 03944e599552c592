/**
 * Draws random shapes, computes what they must give by the scalar meaning, and packs them as one GPU program: one message per
 * number of a batch of shapes that it is given, answered by the next number.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { emitGraph } from '../../src/gpu/emit-graph.ts'
import { interpret } from '../../src/program/interpret.ts'
import { createRandom, randomInputs } from '../../src/program/program.fixture.ts'
import { drawShape, sideBySide } from './draw-shape.mjs'

const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** The images of each port, at multiples of the port's `imageBytes`. */
function packed(ports, samples) {
  return ports.map((port) => {
    const bytes = new Uint8Array(port.imageBytes * samples.length)
    for (const [image, values] of samples.entries()) bytes.set(bytesOf(values.get(port.name)), image * port.imageBytes)
    return bytes
  })
}

function prepareShapes(first, count) {
  const shapes = Array.from({ length: count }, (_, i) => drawShape(first + i))
  const random = createRandom(first)
  const batch = random.pick([1, 1, 3])
  const inputs = Array.from({ length: batch }, () => new Map())
  const outputs = Array.from({ length: batch }, () => new Map())
  for (const [number, { graph }] of shapes.entries())
    for (let image = 0; image < batch; image++) {
      const sample = randomInputs(graph, random)
      for (const [name, values] of sample) inputs[image].set(`${number}/${name}`, values)
      for (const [name, values] of interpret(graph, sample)) outputs[image].set(`${number}/${name}`, values)
    }
  const program = emitGraph(sideBySide(shapes.map(({ graph }) => graph)))
  const { header } = program
  return {
    first,
    batch,
    program,
    kinds: shapes.map(({ kind }) => kind),
    inputs: packed(header.inputs, inputs),
    expected: packed(header.outputs, outputs),
    elementBytes: header.outputs.map(({ name }) => outputs[0].get(name).BYTES_PER_ELEMENT),
  }
}

parentPort.on('message', (first) => parentPort.postMessage(prepareShapes(first, workerData.perProgram)))
