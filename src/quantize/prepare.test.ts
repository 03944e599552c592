/** Quantised files: QuantizeLinear and DequantizeLinear become a plan, and the plan gives the file's own integers back. */
import { describe, expect, it } from 'vitest'
import type { DyadicError } from '../error.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import type { ConvolutionInstruction, IntegerGraph } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { byteSet } from '../lower/network.fixture.ts'
import { interpret } from '../program/interpret.ts'
import { createRandom } from '../program/program.fixture.ts'
import { type Line, net, type Parameter, scalar } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { calibrate } from './calibrate.ts'
import type { Plan } from './plan.ts'
import { completePlan, prepare } from './prepare.ts'

type Codes = 'uint8' | 'int8'

const zero = (type: Parameter['type'], value: number): Parameter => ({ type, shape: [], values: [value] })
const list = (type: Parameter['type'], values: number[]): Parameter => ({ type, shape: [values.length], values })
/** Lines that quantise `value` and dequantise it again; the first of them is line number `at`. */
const pair = (value: string, at: number, scale: number, zeroPoint: number, type: Codes = 'uint8'): Line[] => [
  { operator: 'QuantizeLinear', inputs: [value, scalar(scale), zero(type, zeroPoint)] },
  { operator: 'DequantizeLinear', inputs: [`v${at}`, scalar(scale), zero(type, zeroPoint)] },
]

function codes(type: 'int8' | 'uint8' | 'int32', shape: number[], seed: number): Parameter {
  const random = createRandom(seed)
  const [low, high] = type === 'int8' ? [-127, 127] : type === 'uint8' ? [0, 255] : [-3000, 3000]
  const count = shape.reduce((product, size) => product * size, 1)
  return { type, shape, values: Array.from({ length: count }, () => random.between(low, high)) }
}

const weightScale = [0.004, 0.006, 0.003]
const inputScale = 0.02
const weights1 = codes('int8', [3, 2, 3, 3], 1)
const bias1 = codes('int32', [3], 2)
const weights2 = codes('uint8', [3, 3, 1, 1], 3)

/** x → Q/DQ → Conv → Clip → Q/DQ → Conv → Q/DQ, plus the first result → Add → Q/DQ. */
function quantisedNetwork(edit: (lines: Line[]) => void = () => {}): Graph {
  const lines: Line[] = [
    ...pair('x', 0, inputScale, 118),
    {
      operator: 'DequantizeLinear',
      inputs: [weights1, list('float32', weightScale), list('int8', [0, 0, 0])],
      attributes: { axis: 0 },
    },
    // A bias at the scale of its accumulator, as quantising tools write it.
    {
      operator: 'DequantizeLinear',
      inputs: [
        bias1,
        list(
          'float32',
          weightScale.map((scale) => scale * inputScale),
        ),
        list('int32', [0, 0, 0]),
      ],
      attributes: { axis: 0 },
    },
    { operator: 'Conv', inputs: ['v1', 'v2', 'v3'], attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Clip', inputs: ['v4', scalar(0), scalar(6)] },
    ...pair('v5', 6, 6 / 255, 0),
    { operator: 'DequantizeLinear', inputs: [weights2, scalar(0.008), zero('uint8', 131)] },
    { operator: 'Conv', inputs: ['v7', 'v8'] },
    ...pair('v9', 10, 0.05, 120),
    { operator: 'Add', inputs: ['v7', 'v11'] },
    ...pair('v12', 13, 0.06, 100),
  ]
  edit(lines)
  return net({ x: [1, 2, 5, 6] }, lines)
}

const layers = (graph: IntegerGraph): ConvolutionInstruction[] =>
  graph.instructions.filter((one): one is ConvolutionInstruction => one.kind === 'convolution')

describe('a quantised file', () => {
  const graph = quantisedNetwork()
  const { compiled, filePlan, missing } = prepare(graph)
  const plan = filePlan as Plan

  it('gives every number of the plan', () => {
    expect(missing).toEqual([])
    expect(compiled.nodes.map(({ operator }) => operator)).toEqual(['dyadic.Conv', 'dyadic.Conv', 'dyadic.Add'])
    const single = Math.fround
    expect(plan.inputs).toEqual({ x: { format: 'u8', scale: [single(inputScale)], zeroPoint: [118], layout: 'nchw' } })
    expect(plan.tensors).toEqual({
      v5: { format: 'u8', scale: single(6 / 255), zeroPoint: 0 },
      v9: { format: 'u8', scale: single(0.05), zeroPoint: 120 },
      // The graph's output keeps its name, behind its own quantisation.
      v14: { format: 'u8', scale: single(0.06), zeroPoint: 100 },
    })
    expect(plan.weights.v5).toEqual({ format: 's8', scale: weightScale.map(single), zeroPoint: [0, 0, 0] })
    expect(plan.weights.v9).toEqual({ format: 'u8', scale: [single(0.008)], zeroPoint: [131] })
  })

  it('gets its own weights and biases back, to the integer', () => {
    const [first, second] = layers(lower(compiled, plan)) as [ConvolutionInstruction, ConvolutionInstruction]
    const values = weights1.values as number[]
    // [O][C][H][W] in the file, [O][H][W][C] in the instruction.
    const expected = Array.from({ length: 54 }, (_, i) => {
      const [o, tap, c] = [Math.floor(i / 18), Math.floor(i / 2) % 9, i % 2]
      return values[(o * 2 + c) * 9 + tap]
    })
    expect([...first.weights]).toEqual(expected)
    expect([...first.bias]).toEqual(bias1.values)
    expect([...second.weights]).toEqual((weights2.values as number[]).map((code) => code - 128))
    expect([...second.weightZeroPoints]).toEqual([3, 3, 3])
  })

  it('rounds where the file rounds: within one step of the file run in floats', () => {
    const integers = lower(compiled, plan)
    const float = createReferenceExecutor(graph)
    let different = 0
    for (let seed = 0; seed < 20; seed++) {
      const bytes = createRandom(seed).bytes(60)
      const found = interpret(integers, new Map([['x', bytes]])).get('v14') as Uint8Array
      const real = Float32Array.from(bytes, (code) => (code - 118) * Math.fround(inputScale))
      const expected = float.run(new Map([['x', real]])).get('v14') as Float32Array
      for (const [i, value] of expected.entries()) {
        const code = Math.round(value / Math.fround(0.06)) + 100
        // A tie goes to even in the file and up here. The addition's ratios 20/51 and 5/6 make one value in 102 a tie.
        expect(Math.abs((found[i] as number) - code)).toBeLessThanOrEqual(1)
        if (found[i] !== code) different++
      }
    }
    expect(different).toBeLessThan((20 * 90) / 34)
    expect(integers.instructions.map(({ kind }) => kind)).toEqual([
      'import',
      'convolution',
      'convolution',
      'add',
      'export',
    ])
  })

  it('gives the same plan for the same file', () => {
    expect(prepare(quantisedNetwork()).filePlan).toEqual(plan)
  })

  it('finds the grid of a transposed dense layer', () => {
    const dense = net({ x: [1, 4] }, [
      ...pair('x', 0, 0.02, 3, 'int8'),
      { operator: 'DequantizeLinear', inputs: [codes('int8', [4, 3], 5), scalar(0.01), zero('int8', 0)] },
      { operator: 'MatMul', inputs: ['v1', 'v2'] },
      ...pair('v3', 4, 0.05, -5, 'int8'),
    ])
    const { compiled: made, filePlan: found } = prepare(dense)
    expect(found?.weights).toEqual({ v5: { format: 's8', scale: [Math.fround(0.01)], zeroPoint: [0] } })
    expect(found?.inputs.x?.format).toBe('s8')
    const [layer] = layers(lower(made, found as Plan)) as [ConvolutionInstruction]
    const values = codes('int8', [4, 3], 5).values as number[]
    expect([...layer.weights]).toEqual(Array.from({ length: 12 }, (_, i) => values[(i % 4) * 3 + Math.floor(i / 4)]))
  })

  it('may be given integers straight away', () => {
    const parts = net(
      { x: [1, 2, 3, 3] },
      [
        { operator: 'DequantizeLinear', inputs: ['x', scalar(0.5), zero('int8', 7)] },
        { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2] } },
      ]
        .slice(1)
        .map((line) => ({ ...line, inputs: ['x'] })) as Line[],
    )
    const constants = net({ x: [1, 2, 3, 3] }, [{ operator: 'Clip', inputs: ['x', scalar(0.5), scalar(7)] }]).constants
    const input: Value = { name: 'x', type: 'int8', shape: [1, 2, 3, 3] }
    const integerInput = inferGraph({
      ...{ name: 'integers', opset: 21, inputs: [input], outputs: parts.outputs },
      constants: new Map([
        ['scale', constants.get('c0.1')!],
        ['zero', { type: 'int8' as const, shape: [], bytes: Uint8Array.of(7) }],
      ]),
      nodes: [
        {
          name: 'dq',
          operator: 'DequantizeLinear',
          inputs: ['x', 'scale', 'zero'],
          outputs: ['real'],
          attributes: new Map(),
        },
        ...parts.nodes.map((node) => ({ ...node, inputs: ['real'] })),
      ],
    })
    const { compiled: made, filePlan: found } = prepare(integerInput)
    expect(found?.inputs.x).toEqual({ format: 's8', scale: [0.5], zeroPoint: [7], layout: 'nchw' })
    const inputs = new Map([['x', Int8Array.from({ length: 18 }, (_, i) => i * 7 - 60)]])
    expect(interpret(lower(made, found as Plan), inputs).get('v0')).toEqual(
      Int8Array.of(-32, -25, -11, -4, 31, 38, 52, 59),
    )
  })

  it('that leaves values open names them, and takes the rest from calibration', async () => {
    const {
      compiled: made,
      filePlan: partial,
      missing: open,
    } = prepare(
      quantisedNetwork((lines) => {
        // No quantisation behind the second convolution.
        lines.splice(10, 2, { operator: 'Relu', inputs: ['v9'] }, { operator: 'Identity', inputs: ['v10'] })
      }),
    )
    expect(open).toEqual(['v10'])
    const complete = completePlan(await calibrate(made, byteSet([2, 5, 6])), partial as Plan)
    expect(complete.tensors.v5).toEqual(plan.tensors.v5)
    expect(complete.inputs).toEqual(plan.inputs)
    expect(complete.tensors.v10?.scale).toBeGreaterThan(0)
    expect(() => lower(made, complete)).not.toThrow()
    expect(() => lower(made, partial as Plan)).toThrow(/no entry "tensors" for "v10"/)
  })

  it('that does not round before an addition has it inside the convolution', () => {
    const { compiled: made, missing: open } = prepare(
      quantisedNetwork((lines) => {
        lines.splice(10, 2, { operator: 'Identity', inputs: ['v9'] }, { operator: 'Identity', inputs: ['v10'] })
      }),
    )
    expect(open).toEqual([])
    expect(made.nodes.map((node) => node.operator)).toEqual(['dyadic.Conv', 'dyadic.Conv'])
    expect(made.nodes[1]?.inputs[3]).toBe('v5')
  })
})

describe('quantised forms without an integer meaning are refused, naming the node', () => {
  const image = { x: [1, 2, 3, 3] }
  const relu: Line = { operator: 'Relu', inputs: ['v1'] }
  it.each<[string, Line[], DyadicError['code'], RegExp]>([
    [
      'two quantisations of one value',
      [...pair('x', 0, 0.1, 3), ...pair('x', 2, 0.2, 3), { operator: 'Add', inputs: ['v1', 'v3'] }],
      'unsupported',
      /node "n2" quantises "x" with scale 0\.2\d* and zero point 3, another node with 0\.1\d* and 3; one value can have one/,
    ],
    [
      'another zero point on the way back',
      [
        { operator: 'QuantizeLinear', inputs: ['x', scalar(0.1), zero('uint8', 3)] },
        { operator: 'DequantizeLinear', inputs: ['v0', scalar(0.1), zero('uint8', 4)] },
        relu,
      ],
      'unsupported',
      /node "n1" quantises "x" with scale .* zero point 4, another node with .* and 3/,
    ],
    [
      'an activation with a scale per channel',
      [
        {
          operator: 'QuantizeLinear',
          inputs: ['x', list('float32', [0.1, 0.2]), list('uint8', [0, 0])],
          attributes: { axis: 1 },
        },
        {
          operator: 'DequantizeLinear',
          inputs: ['v0', list('float32', [0.1, 0.2]), list('uint8', [0, 0])],
          attributes: { axis: 1 },
        },
        relu,
      ],
      'unsupported',
      /node "n0" quantises an activation per channel/,
    ],
    [
      'activations of 16 bits without sign',
      [
        { operator: 'QuantizeLinear', inputs: ['x', scalar(0.1), zero('uint16', 0)] },
        { operator: 'DequantizeLinear', inputs: ['v0', scalar(0.1), zero('uint16', 0)] },
        relu,
      ],
      'unsupported',
      /node "n0" quantises to uint16; dyadic compiles uint8, int8, int16/,
    ],
    [
      '16-bit weights',
      [
        {
          operator: 'DequantizeLinear',
          inputs: [{ type: 'int16', shape: [2, 2, 1, 1], values: [1, 2, 3, 4] }, scalar(0.1), zero('int16', 0)],
        },
        { operator: 'Conv', inputs: ['x', 'v0'] },
      ],
      'unsupported',
      /node "n0" dequantises int16/,
    ],
    [
      'a computed scale',
      [
        { operator: 'GlobalMaxPool', inputs: ['x'] },
        { operator: 'Reshape', inputs: ['v0', { type: 'int64', shape: [1], values: [2] }] },
        { operator: 'QuantizeLinear', inputs: ['x', 'v1'], attributes: { axis: 1 } },
        { operator: 'DequantizeLinear', inputs: ['v2', 'v1'], attributes: { axis: 1 } },
      ],
      'unsupported',
      /node "n2" has a scale computed at run time/,
    ],
    [
      'a negative scale',
      [...pair('x', 0, -0.1, 0), relu],
      'refused',
      /node "n0" has scale -0\.1\d*; scales must be positive and finite/,
    ],
    ['scale zero', [...pair('x', 0, 0, 0), relu], 'refused', /node "n0" has scale 0;/],
    [
      'a constant that is quantised at run time',
      [
        { operator: 'QuantizeLinear', inputs: [{ shape: [2, 2, 1, 1] }, scalar(0.1), zero('int8', 0)] },
        { operator: 'DequantizeLinear', inputs: ['v0', scalar(0.1), zero('int8', 0)] },
        { operator: 'Conv', inputs: ['x', 'v1'] },
      ],
      'unsupported',
      /node "n0" quantises the constant "c0\.0" at run time/,
    ],
    [
      'an output that is only the quantised input',
      pair('x', 0, 0.1, 0),
      'unsupported',
      /output "v1" is only a quantised copy of "x"/,
    ],
  ])('%s', (_, lines, code, message) => {
    const attempt = (): unknown => prepare(net(image, lines))
    expect(attempt).toThrow(message)
    try {
      attempt()
    } catch (error) {
      expect((error as DyadicError).code).toBe(code)
    }
  })
})
