/**
 * A small network for each family of products of matrices, and what it must give by the scalar meaning. That of convolutions
 * has more rows than the largest tile, more depth than one step, per-channel multipliers and a clamp that counts.
 */
import { DyadicError } from '../error.ts'
import type { ConvolutionInstruction, IntegerGraph, IntegerTensor, Window } from '../lower/integer-graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { fillRandomUint32 } from '../num/random.ts'
import { interpret } from '../program/interpret.ts'
import type { GpuProgram } from '../runtime/gpu/program.ts'
import { emitGraph } from './emit-graph.ts'
import { productOperands, productProbe } from './product-probe.ts'

const SEED = 0x9e0b
const SIDE = 12
/** Standard deviation of uniform bytes. */
const DEVIATION = 74

function randomBytes(stream: number, count: number): Int8Array {
  const words = new Uint32Array(Math.ceil(count / 4))
  fillRandomUint32(SEED, stream, 0, words)
  return new Int8Array(words.buffer, 0, count)
}

/** Throws `unsupported` for a family that no product of this kind gives. */
export function probeOf(family: string): { readonly program: GpuProgram; readonly expected: Uint8Array } {
  const operands = productOperands(family)
  const graph = operands === undefined ? convolutionProbe(family) : productProbe(operands, randomBytes)
  const program = emitGraph(graph)
  if (!program.header.dispatches.some((dispatch) => dispatch.family === family))
    throw new DyadicError('unsupported', `no probe for the GPU kernels of the family ${family}`)
  const answer = interpret(graph, new Map()).get('y') as Int8Array
  return { program, expected: new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength) }
}

function convolutionProbe(family: string): IntegerGraph {
  const nibbles = family === 'dense4'
  // Weights of four bits are for few rows.
  const [height, width] = nibbles ? [1, 8] : [SIDE, SIDE]
  const wide = family.endsWith('-16')
  const dense = family.includes('dense')
  const offset = family.includes('-offset')
  // 16-bit inputs have families of their own.
  const bits = family.startsWith('wide-') ? 16 : 8
  const kernel = dense ? 1 : 3
  const pad = dense ? 0 : 1
  const inputs = (dense ? 80 : 16) - (wide ? 0 : 8) + (dense || wide ? 0 : 16)
  const outputs = wide ? 48 : 40
  const depth = kernel * kernel * inputs
  const tensor = (id: number, bits: 8 | 16, channels: number): IntegerTensor => ({
    id,
    name: `t${id}`,
    format: bits === 16 ? 's16' : 's8',
    height,
    width,
    channels,
    scale: 1,
    zeroPoint: 0,
    range: interval(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
  })
  const [input, output] = [tensor(0, bits, inputs), tensor(1, 8, outputs)]
  const factor = 2 ** (bits - 8)
  const window: Window = { kernel: [kernel, kernel], strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] }
  const deviation = nibbles ? DEVIATION / 16 : DEVIATION
  const ratios = Array.from(
    { length: outputs },
    (_, i) => (60 + i) / (DEVIATION * deviation * factor * Math.sqrt(depth)),
  )
  const { multipliers, shift, left } = dyadicRatios(ratios, 'probe')
  const full = interval(-(2 ** 31), 2 ** 31 - 1)
  const convolution: ConvolutionInstruction = {
    kind: 'convolution',
    name: 'probe',
    input,
    output,
    window,
    groups: 1,
    weights: randomBytes(1, outputs * depth).map((code) => (nibbles ? code >> 4 : code)),
    // Codes less −1 reach 128, which is no signed byte.
    weightZeroPoints: new Int16Array(outputs).fill(offset ? -1 : 0),
    weightFormat: 's8',
    bias: Int32Array.from(randomBytes(2, outputs), (code) => code * 64 * factor),
    inputZeroPoints: new Int16Array(inputs).fill(3),
    requantisation: { multipliers: Int32Array.from(multipliers), shift, left },
    outputZeroPoint: -5,
    clamp: interval(-120, 127),
    bounds: { accumulator: full, biased: full, requantised: full },
  }
  const bytes = randomBytes(3, height * width * inputs)
  const codes = bits === 8 ? bytes : Int16Array.from(bytes, (code) => code * factor + ((code * 7) & (factor - 1)))
  return {
    name: 'probe',
    inputs: [],
    outputs: [
      {
        name: 'y',
        shape: [1, height, width, outputs],
        format: 's8',
        layout: 'nhwc',
        scale: [1],
        zeroPoint: [0],
      },
    ],
    tensors: [input, output],
    instructions: [
      { kind: 'constant', name: 'x', output: input, codes },
      convolution,
      {
        kind: 'export',
        name: 'y',
        input: output,
        outputName: 'y',
        format: 's8',
        start: 0,
        loops: [{ count: height * width * outputs, step: 1 }],
      },
    ],
  }
}
