/** One test per row of docs/deviations.md: what dyadic gives where ONNX Runtime gives something else. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../src/graph/graph.ts'
import { inferGraph } from '../src/graph/infer.ts'
import { constantOf } from '../src/graph/rewrite.ts'
import { type ElementType, makeConstant, readConstant, type Tensor } from '../src/graph/tensor.ts'
import { parseOnnx } from '../src/onnx/parse-model.ts'
import type { MessageInput } from '../src/onnx/schema.ts'
import { encodeModel } from '../src/onnx/write-wire.ts'
import { runReference } from '../src/reference/run.ts'

function tensor(type: ElementType, values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { type, shape, data: readConstant(makeConstant(type, shape, values)) }
}

/** The first output of one node; `fixed` inputs are constants. */
function run(
  operator: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  fixed: readonly number[] = [],
): Tensor {
  const names = inputs.map((input, i) => (input ? `x${i}` : ''))
  const isFixed = (_: unknown, i: number) => fixed.includes(i)
  const given = inputs.flatMap((input, i) => (input && !fixed.includes(i) ? [[names[i], input] as const] : []))
  const graph = inferGraph({
    name: 'g',
    opset: 21,
    inputs: given.map(([name, { type, shape }]) => ({ name, type, shape })),
    outputs: ['y'],
    constants: new Map(
      inputs.filter(isFixed).map((input, i) => [names[fixed[i] as number] as string, constantOf(input as Tensor)]),
    ),
    nodes: [{ name: 'n', operator, inputs: names, outputs: ['y'], attributes: new Map(Object.entries(attributes)) }],
  })
  return runReference(graph, new Map(given)).get('y') as Tensor
}

const numbers = (result: Tensor): number[] => Array.from(result.data as ArrayLike<number | bigint>, Number)
const INT32 = 6
const LEAST = -(2 ** 31)

const rows: Readonly<Record<string, () => void>> = {
  D1: () => {
    for (const value of [NaN, Infinity, -Infinity])
      for (const to of [INT32, 3, 7])
        expect(() => run('Cast', [tensor('float32', [value])], { to })).toThrow('node "n"')
    expect(numbers(run('Cast', [tensor('float32', [NaN, 0])], { to: 9 }))).toEqual([1, 0])
  },
  D2: () => {
    expect(numbers(run('Cast', [tensor('float32', [3e9, -3e9, 300.9, -300.9])], { to: INT32 }))).toEqual([
      -1294967296, 1294967296, 300, -300,
    ])
    expect(numbers(run('Cast', [tensor('float32', [300, -200, 1e30])], { to: 3 }))).toEqual([44, 56, 0])
    expect(run('Cast', [tensor('float64', [2 ** 63, 2 ** 64 + 2 ** 12])], { to: 7 }).data).toEqual(
      BigInt64Array.of(-(2n ** 63n), 4096n),
    )
  },
  D3: () => {
    expect(numbers(run('Div', [tensor('int32', [LEAST]), tensor('int32', [-1])]))).toEqual([LEAST])
    expect(numbers(run('Div', [tensor('int8', [-128]), tensor('int8', [-1])]))).toEqual([-128])
  },
  D4: () => {
    for (const operator of ['Div', 'Mod'])
      expect(() => run(operator, [tensor('int32', [1]), tensor('int32', [0])])).toThrow('node "n"')
  },
  D5: () => {
    expect(numbers(run('Pow', [tensor('int32', [3, 2]), tensor('int32', [40, 31])]))).toEqual([689956897, LEAST])
    expect(BigInt.asIntN(32, 3n ** 40n)).toBe(689956897n)
    expect(run('Pow', [tensor('int64', [3]), tensor('int64', [39])]).data[0]).toBe(3n ** 39n)
  },
  D6: () => {
    expect(() => run('Pow', [tensor('int32', [-2]), tensor('float32', [2.5])])).toThrow('no value of type int32')
    expect(() => run('Pow', [tensor('int32', [0]), tensor('int32', [-1])])).toThrow('no value')
  },
  D7: () => {
    const inputs = (x: number) => [tensor('float32', [x]), tensor('float32', [1], []), tensor('int8', [3], [])]
    expect(() => run('QuantizeLinear', inputs(NaN))).toThrow('not a number')
    expect(numbers(run('QuantizeLinear', inputs(-Infinity)))).toEqual([-128])
  },
  D8: () => {
    for (const value of [NaN, Infinity])
      expect(() => run('DynamicQuantizeLinear', [tensor('float32', [1, value])])).toThrow('element 1')
  },
  D9: () => {
    const x = tensor('float32', [1, NaN, 2, 0], [1, 1, 4])
    expect(numbers(run('MaxPool', [x], { kernel_shape: [2] }))).toEqual([NaN, NaN, 2])
    expect(numbers(run('ReduceMax', [x]))).toEqual([NaN])
    expect(numbers(run('ReduceMin', [x]))).toEqual([NaN])
  },
  D10: () => {
    const x = tensor('float32', [1, 2, 3, 4], [1, 1, 1, 4])
    const scales = tensor('float32', [1, 1, 1, 0.6])
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'align_corners' }
    const [first, second] = numbers(run('Resize', [x, undefined, scales], attributes, [2]))
    expect(first).toBe(1)
    expect(second).toBeCloseTo(22 / 7, 5)
  },
  D11: () => {
    const y = run('Cast', [tensor('float32', [NaN, Infinity])], { to: 23 })
    expect(Object.is(y.data[0], -0)).toBe(true)
    expect(y.data[1]).toBe(6)
  },
  D12: () => {
    const port = (name: string) => ({
      name,
      type: { tensorType: { elemType: 10, shape: { dim: [{ dimValue: 1n }] } } },
    })
    const model = encodeModel({
      irVersion: 8n,
      opsetImport: [{ version: 13n }],
      graph: {
        name: 'g',
        input: [port('x')],
        output: [port('y')],
        node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      },
    })
    expect(parseOnnx(model).values.get('y')?.type).toBe('float32')
    expect(parseOnnx(model, { halfPrecision: 'keep' }).values.get('y')?.type).toBe('float16')
  },
  D13: () => {
    // In float32, from the left, the small number is lost.
    expect(numbers(run('ReduceSum', [tensor('float32', [2 ** 24, 1, -(2 ** 24)])]))).toEqual([1])
  },
  D14: () => {
    const k = tensor('int64', [4])
    expect(numbers(run('TopK', [tensor('float32', [1, NaN, 3, 3]), k], {}, [1]))).toEqual([NaN, 3, 3, 1])
  },
  D15: () => {
    const attributes = { auto_pad: 'SAME_UPPER', strides: [3], kernel_shape: [1] }
    const x = tensor('float32', [1, 2, 3, 4, 5, 6], [1, 1, 6])
    for (const operator of ['MaxPool', 'AveragePool', 'LpPool'])
      expect(numbers(run(operator, [x], attributes))).toEqual([1, 4])
    const y = run(
      'ConvTranspose',
      [tensor('float32', [1, 2], [1, 1, 2]), tensor('float32', [1], [1, 1, 1])],
      attributes,
    )
    expect(numbers(y)).toEqual([1, 0, 0, 2, 0, 0])
  },
  D16: () => {
    const x = tensor('float32', [1, 2, 3, 4], [1, 1, 4])
    for (const operator of ['MaxPool', 'AveragePool'])
      expect(numbers(run(operator, [x], { kernel_shape: [1], strides: [2], ceil_mode: 1 }))).toEqual([1, 3])
  },
  D17: () => {
    // Sixteen weights of code 9 in one block with scale 1: each means 1, and 1/1024 would be lost beside 127 in 8 bits.
    const tensors = [
      { name: 'B', dataType: 2, dims: [1n, 1n, 8n], rawData: new Uint8Array(8).fill(0x99) },
      { name: 's', dataType: 1, dims: [1n], rawData: new Uint8Array(Float32Array.of(1).buffer) },
    ]
    const sizes = Object.entries({ K: 16n, N: 1n, block_size: 16n, accuracy_level: 4n })
    const port = (name: string, size: bigint) => ({
      name,
      type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1n }, { dimValue: size }] } } },
    })
    const model = encodeModel({
      irVersion: 8n,
      opsetImport: [{ version: 13n }, { domain: 'com.microsoft', version: 1n }],
      graph: {
        name: 'g',
        input: [port('x', 16n)],
        output: [port('y', 1n)],
        initializer: tensors,
        node: [
          {
            opType: 'MatMulNBits',
            domain: 'com.microsoft',
            input: ['x', 'B', 's'],
            output: ['y'],
            attribute: sizes.map(([name, i]) => ({ name, type: 2, i })),
          },
        ],
      },
    })
    const x = tensor('float32', [127, 2 ** -10, ...new Array<number>(14).fill(0)], [1, 16])
    expect(numbers(runReference(parseOnnx(model), new Map([['x', x]])).get('y') as Tensor)).toEqual([127 + 2 ** -10])
  },
  D18: () => {
    const inputs = [tensor('int64', [2], []), tensor('int64', [3]), tensor('float32', [0, 5])]
    expect(numbers(run('OneHot', inputs, { axis: -1 }, [1]))).toEqual([0, 0, 5])
  },
  D19: () => {
    const negated = {
      name: 'Relu',
      input: ['a'],
      output: ['b'],
      node: [{ opType: 'Neg', input: ['a'], output: ['b'] }],
    }
    const opsetImport = [{ version: 13n }]
    const relu = { opType: 'Relu', input: ['x'], output: ['y'] }
    expect(readAndRun({ node: [relu] }, [{ ...negated, opsetImport }])).toEqual([1, -2, -3])
  },
  D20: () => {
    const seed = [{ name: 'seed', type: 2, i: 0n }]
    const dropout = { opType: 'Dropout', input: ['x', 'ratio', 'training'], output: ['y'], attribute: seed }
    const training = { name: 'training', dataType: 9, dims: [], rawData: Uint8Array.of(1) }
    // RandomState(0) draws 0.549, 0.715, 0.603.
    const ratio = { name: 'ratio', dataType: 1, dims: [], floatData: [0.59375] }
    const scale = Math.fround(1 / (1 - 0.59375))
    const expected = [-0, Math.fround(2 * scale), Math.fround(3 * scale)]
    expect(readAndRun({ node: [dropout], initializer: [training, ratio] })).toEqual(expected)
  },
}

/** What a file of float32 `x` and `y`, three elements each, gives for −1, 2 and 3. */
function readAndRun(graph: MessageInput<'GraphProto'>, functions: MessageInput<'FunctionProto'>[] = []): number[] {
  const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 3n }] } } }
  const ports = { input: [{ name: 'x', type }], output: [{ name: 'y', type }] }
  const model = { irVersion: 8n, opsetImport: [{ version: 13n }], graph: { name: 'g', ...graph, ...ports }, functions }
  const x = tensor('float32', [-1, 2, 3])
  return numbers(runReference(parseOnnx(encodeModel(model)), new Map([['x', x]])).get('y') as Tensor)
}

describe('deviations from ONNX Runtime', () => {
  it.each(Object.entries(rows))('%s', (_, check) => check())

  it('are the rows of the page', () => {
    const page = readFileSync(new URL('../docs/deviations.md', import.meta.url), 'utf8')
    expect([...page.matchAll(/^\| (D\d+) \|/gm)].map(([, row]) => row)).toEqual(Object.keys(rows))
  })
})
