/** Exported files, read back: the plan they give computes the same integers, and what a file cannot hold is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConvolutionInstruction, Instruction, IntegerGraph } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import {
  byteSet,
  conv,
  floatSet,
  lowered,
  randomCodes,
  randomNetwork,
  refusal,
  weights,
} from '../lower/network.fixture.ts'
import { decodeModel } from '../onnx/decode.ts'
import { parseOnnx } from '../onnx/index.ts'
import { defaultLimits } from '../onnx/limits.ts'
import { interpret } from '../program/interpret.ts'
import type { CalibrateOptions } from '../quantize/calibrate.ts'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { exportOnnx, onnxFormats } from './export-onnx.ts'

const version = '0.0.0'

/** The program's instructions without names, proofs and multipliers. */
function integersOf({ instructions }: IntegerGraph): unknown[] {
  return instructions.map((instruction) => {
    const { name, requantisation, bounds, ...rest } = instruction as Instruction & Partial<ConvolutionInstruction>
    return JSON.parse(
      JSON.stringify(rest, (key, value) => {
        const isTensor = typeof value === 'object' && value !== null && 'range' in value && 'id' in value
        if (isTensor) return [value.id, value.format, value.zeroPoint]
        if (/[mM]ultiplier$|^(?:positive|negative|coarse|fine|one|left|shift)$/.test(key)) return undefined
        return ArrayBuffer.isView(value) ? Array.from(value as Int8Array) : value
      }),
    )
  })
}

/** Multipliers of convolutions as real numbers. */
function ratiosOf({ instructions }: IntegerGraph): number[] {
  return instructions.flatMap((one) =>
    one.kind === 'convolution' || one.kind === 'depthwise'
      ? Array.from(
          one.requantisation.multipliers,
          (m) => (m * 2 ** one.requantisation.left) / 2 ** one.requantisation.shift,
        )
      : [],
  )
}

describe('an exported network', () => {
  it.each(onnxFormats)('as %s gives the same integers when it is read again', async (format) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 500 }), async (seed) => {
        const { graph, set } = randomNetwork(seed)
        // Inputs with a scale for each channel, or a fraction of a zero point, are nodes of their own in the file.
        fc.pre(set.scale.length === 1 && set.offset.every(Number.isInteger))
        const { compiled, plan, integers } = await lowered(graph, set)
        const bytes = exportOnnx(compiled, plan, { version, format })
        expect(exportOnnx(compiled, plan, { version, format })).toEqual(bytes)
        const { compiled: again, filePlan, missing } = prepare(parseOnnx(bytes))
        expect(missing).toEqual([])
        const back = lower(again, filePlan as NonNullable<typeof filePlan>)
        expect(integersOf(back)).toEqual(integersOf(integers))
        const ratios = ratiosOf(back)
        // Scales are float32 in the file: four of them make a ratio, and one may be the next smaller.
        ratiosOf(integers).forEach((ratio, index) => {
          expect(Math.abs((ratios[index] as number) - ratio)).toBeLessThanOrEqual(ratio * 2 ** -21.4 + 2 ** -31)
        })
      }),
      { numRuns: 6 },
    )
  })

  const cases: [string, CalibrateOptions, boolean][] = [
    ['scales by channel', { granularity: 'channel' }, false],
    ['pixels with a scale for each channel', {}, true],
    ['16-bit activations', { activations: 's16' }, false],
  ]
  it.each(cases)('with %s computes what the program computes', async (_, options, perChannel) => {
    const graph = net({ x: [1, 3, 8, 8] }, [
      { ...conv('x', 6, 3, 3, 3), attributes: { pads: [1, 1, 1, 1] } },
      { operator: 'Relu', inputs: ['v0'] },
      { ...conv('v1', 6, 1, 3, 3), attributes: { group: 6 } },
      { operator: 'MaxPool', inputs: ['v2'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      conv('v3', 5, 6, 3, 3),
      { operator: 'Flatten', inputs: ['v4'] },
    ])
    const set = byteSet([3, 8, 8], { perChannel })
    const { compiled, plan, integers } = await lowered(graph, set, options)
    const codes = randomCodes(integers, 5)
    const [port] = integers.inputs
    const [output] = integers.outputs
    const pixels = codes.get('x') as Uint8Array
    const at = (list: readonly number[], i: number): number => list[list.length > 1 ? Math.floor(i / 64) : 0] as number
    const x = Float32Array.from(pixels, (code, i) => (code - at(port?.zeroPoint ?? [], i)) * at(port?.scale ?? [], i))
    const program = Array.from(interpret(integers, codes).get('v5') as Int16Array)
    const exported = createReferenceExecutor(parseOnnx(exportOnnx(compiled, plan, { version })))
    const reals = exported.run(new Map([['x', x]])).get('v5') as Float32Array
    const scale = output?.scale as readonly number[]
    const apart = program.map((code, i) => {
      const step = scale[scale.length > 1 ? i : 0] as number
      return Math.abs(code - (output?.zeroPoint[0] ?? 0) - (reals[i] as number) / step)
    })
    // A tie between two codes falls the other way now and then (half up, half to even), and wide outputs count in fine steps.
    const wide = output?.format === 's8' || output?.format === 'u8' ? 2 : 40
    expect(Math.max(...apart)).toBeLessThan(wide)
    expect(program.some((code) => code !== program[0])).toBe(true)
  })

  it('rounds the ties of an average up, as the program does', async () => {
    const graph = net({ x: [1, 2, 8, 8] }, [
      conv('x', 2, 2, 1, 1),
      { operator: 'Relu', inputs: ['v0'] },
      { operator: 'AveragePool', inputs: ['v1'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    ])
    const { compiled, plan } = await lowered(graph, byteSet([2, 8, 8]))
    const planned = plan.tensors['v1'] as Plan['tensors'][string]
    const rectified = { ...planned, format: 's8' as const, scale: planned.scale * 32, zeroPoint: -128 }
    const equal = { ...plan, tensors: { ...plan.tensors, v1: rectified, v2: rectified } }
    const integers = lower(compiled, equal)
    const codes = randomCodes(integers, 5)
    const program = Array.from(interpret(integers, codes).get('v2') as Int8Array)
    const [input] = integers.inputs as [IntegerGraph['inputs'][0]]
    const [offset, step] = [input.zeroPoint[0] as number, input.scale[0] as number]
    const x = Float32Array.from(codes.get('x') as Uint8Array, (code) => (code - offset) * step)
    const exported = (file: Uint8Array): number[] => {
      const reals = createReferenceExecutor(parseOnnx(file))
        .run(new Map([['x', x]]))
        .get('v2') as Float32Array
      return Array.from(reals, (real) => Math.round(real / rectified.scale) + rectified.zeroPoint)
    }
    expect(exported(exportOnnx(compiled, equal, { version }))).toEqual(program)
    // With the same scale on both sides the ties go to even codes.
    const wider = { ...rectified, scale: rectified.scale * (1 + 2 ** -23) }
    const even = { ...equal, tensors: { ...equal.tensors, v2: wider } }
    expect(exported(exportOnnx(compiled, even, { version }))).not.toEqual(program)
  })

  it('computes dense layers on rows, with residuals, as the program does', async () => {
    const graph = net({ x: [1, 5, 6] }, [
      { operator: 'MatMul', inputs: ['x', { shape: [6, 6] }] },
      { operator: 'Add', inputs: [{ shape: [6] }, 'v0'] },
      { operator: 'MatMul', inputs: ['v1', { shape: [6, 6] }] },
      { operator: 'Add', inputs: ['v1', 'v2'] },
      { operator: 'Relu', inputs: ['v3'] },
    ])
    const { compiled, plan, integers } = await lowered(graph, floatSet([5, 6]))
    const bytes = exportOnnx(compiled, plan, { version })
    const operators = decodeModel(bytes, defaultLimits).graph?.node.map(({ opType }) => opType)
    expect(operators?.filter((name) => !/Quantize|Dequantize/i.test(name ?? ''))).toEqual([
      ...['Transpose', 'MatMul', 'Add', 'Transpose', 'MatMul', 'Add', 'Relu'],
    ])
    const codes = randomCodes(integers, 5)
    const [{ scale, zeroPoint }] = integers.inputs as [IntegerGraph['inputs'][0]]
    const x = Float32Array.from(codes.get('x') as Int8Array, (code) => scale[0]! * (code - zeroPoint[0]!))
    const program = interpret(integers, codes).get('v4') as Int16Array
    const reals = createReferenceExecutor(parseOnnx(bytes))
      .run(new Map([['x', x]]))
      .get('v4') as Float32Array
    const step = integers.outputs[0]?.scale[0] as number
    program.forEach((code, i) => void expect(Math.abs(code - (reals[i] as number) / step)).toBeLessThan(40))
    expect(program.some((code) => code > 1000)).toBe(true)
  })

  it('keeps the bounds of a fused layer, its residual unrounded, and the names of inputs and outputs', async () => {
    const graph = net({ x: [1, 4, 4, 4] }, [
      conv('x', 4, 4, 1, 1),
      { operator: 'Clip', inputs: ['v0', { shape: [], values: [0] }, { shape: [], values: [6] }] },
      conv('v1', 4, 4, 1, 1),
      { operator: 'Add', inputs: ['v2', 'v1'] },
      { operator: 'Relu', inputs: ['v3'] },
    ])
    const { compiled, plan } = await lowered(graph, floatSet([4, 4, 4]))
    const model = decodeModel(exportOnnx(compiled, plan, { version }), defaultLimits)
    const nodes = model.graph?.node ?? []
    expect(nodes.map(({ opType }) => opType).filter((name) => !/Quantize|Dequantize/i.test(name ?? ''))).toEqual([
      ...['Conv', 'Clip', 'Conv', 'Add', 'Relu'],
    ])
    expect(model.graph?.input.map(({ name }) => name)).toEqual(['x'])
    expect(model.graph?.output.map(({ name }) => name)).toEqual(['v4'])
    const operands = prepare(parseOnnx(exportOnnx(compiled, plan, { version, format: 'qoperator' }))).compiled.nodes
    expect(operands.map(({ operator }) => operator)).toEqual(['dyadic.Conv', 'dyadic.Conv'])
  })
})

describe('weights of 4 bits', () => {
  const tensorsOf = (bytes: Uint8Array): Map<string, { dataType?: number; dims: number[]; bytes: number }> =>
    new Map(
      (decodeModel(bytes, defaultLimits).graph?.initializer ?? []).map(({ name, dataType, dims, rawData }) => [
        name ?? '',
        { dataType, dims: Array.from(dims, Number), bytes: rawData?.length ?? 0 },
      ]),
    )
  const graph = net({ x: [1, 70, 3, 3] }, [conv('x', 4, 70, 1, 1)])

  it('are packed two to a byte, as int4', async () => {
    const { compiled, plan } = await lowered(graph, floatSet([70, 3, 3]), { weights: 's4' })
    const tensors = tensorsOf(exportOnnx(compiled, plan, { version }))
    expect(tensors.get('v0.weights.codes')).toEqual({ dataType: 22, dims: [4, 70, 1, 1], bytes: 140 })
  })

  it('in groups have blocks of scales along the input channels', async () => {
    const { compiled, plan } = await lowered(graph, floatSet([70, 3, 3]), { weights: 's4', group: 32 })
    const tensors = tensorsOf(exportOnnx(compiled, plan, { version }))
    expect(tensors.get('v0.weights.scale')).toEqual({ dataType: 1, dims: [4, 3, 1, 1], bytes: 48 })
  })

  it('in groups across a kernel are refused by the name of the layer', async () => {
    const wide = net({ x: [1, 24, 4, 4] }, [{ operator: 'Conv', inputs: ['x', weights(4, 24, 3, 3)] }])
    const { compiled, plan } = await lowered(wide, floatSet([24, 4, 4]), { weights: 's4', group: 32 })
    const { code, message } = refusal(() => exportOnnx(compiled, plan, { version }))
    expect(code).toBe('unsupported')
    expect(message).toMatch(
      /layer "v0" has groups of 32 weights that cross the positions of its kernel \(24 input channels\)/,
    )
  })
})

describe('numbers that a file cannot hold are refused', () => {
  const graph = net({ x: [1, 2, 3, 3] }, [
    conv('x', 3, 2, 1, 1),
    { operator: 'Relu', inputs: ['v0'] },
    conv('v1', 2, 3, 1, 1),
  ])

  it('a scale below float32', async () => {
    const { compiled, plan } = await lowered(graph, floatSet([2, 3, 3]))
    const tiny = { ...plan, inputs: { x: { ...plan.inputs.x, scale: [1e-46] } } } as typeof plan
    tiny.weights.v1 = { ...(plan.weights.v1 as (typeof plan.weights)[string]), scale: [1e30] }
    expect(refusal(() => exportOnnx(compiled, tiny, { version })).message).toMatch(
      /a scale of "x" is 1e-46, which float32/,
    )
  })

  it('a zero point of the input that is no code', async () => {
    const { compiled, plan } = await lowered(graph, byteSet([2, 3, 3]))
    const shifted = { ...plan, inputs: { x: { ...plan.inputs.x, zeroPoint: [300] } } } as typeof plan
    expect(refusal(() => exportOnnx(compiled, shifted, { version })).message).toMatch(/input "x" has zero point 300/)
  })
})
