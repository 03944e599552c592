/** A dynamically quantised file: calibration gives what it computes at run time, and its weights keep their codes. */
import { expect, it } from 'vitest'
import { compile, parseOnnx, prepare, quantize } from '../../src/index.ts'
import type { ConvolutionInstruction } from '../../src/lower/integer-graph.ts'
import { floatSet } from '../../src/lower/network.fixture.ts'
import { attribute, floatTensor, floatValue, model, node } from '../../src/onnx/small-model.fixture.ts'
import { encodeModel } from '../../src/onnx/write-wire.ts'

const codes = Uint8Array.from({ length: 54 }, (_, i) => (i * 83 + 11) % 256)
const file = encodeModel(
  model({
    name: 'dynamic',
    node: [
      node('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz']),
      node('ConvInteger', ['q', 'w', 'qz', 'wz'], ['c']),
      node('Cast', ['c'], ['f'], attribute('to', 1)),
      node('Mul', ['qs', 'ws'], ['m']),
      node('Mul', ['f', 'm'], ['y']),
    ],
    initializer: [
      { name: 'w', dataType: 2, dims: [3n, 2n, 3n, 3n], rawData: codes },
      { name: 'wz', dataType: 2, dims: [], rawData: Uint8Array.of(120) },
      floatTensor('ws', [], [0.013]),
    ],
    input: [floatValue('x', [1, 2, 5, 5])],
    output: [{ name: 'y' }],
  }),
)

it('says what is missing, and takes it from samples', async () => {
  const graph = parseOnnx(file)
  expect(prepare(graph).missing).toEqual(['x', 'y'])
  await expect(quantize(graph)).rejects.toThrow(/the file gives no scale for "x", "y"; give calibration samples/)
  const { integerGraph } = compile(graph, await quantize(graph, floatSet([2, 5, 5])))
  const layer = integerGraph.instructions.find((one): one is ConvolutionInstruction => one.kind === 'convolution')
  const stored = Array.from(layer?.weights ?? [], (weight, index) => {
    const [o, t, c] = [Math.floor(index / 18), Math.floor((index % 18) / 2), index % 2]
    return weight - (layer?.weightZeroPoints[o] ?? 0) === (codes[(o * 2 + c) * 9 + t] as number) - 120
  })
  expect(stored).toEqual(new Array(54).fill(true))
})
