/**
 * A product of matrices as a GPU program: [rows][depth] signed bytes times [columns][depth], requantised to bytes, and what
 * any entry of the result must be. Codes are a function of the seed.
 */
import { emitGpuProgram } from '../../dist/gpu/emit.js'
import { dyadicRatios } from '../../dist/num/dyadic.js'
import { randomUint32 } from '../../dist/num/random.js'
import { requantize } from '../../dist/num/requantize.js'

/** Random bytes: one call of the counter-based generator seeds a fast recurrence, since millions are wanted. */
export function randomCodes(seed, count) {
  const codes = new Int8Array(count)
  let state = randomUint32(seed, 0, 0) | 1
  for (let i = 0; i < count; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    codes[i] = state >> 24
  }
  return codes
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value))

/** Program and expected entries, with weights of 8 or of 4 bits. */
export function randomGemm(rows, columns, depth, seed, bits = 8) {
  const left = randomCodes(seed, rows * depth)
  const weights = randomCodes(seed + 1, columns * depth).map((code) => code >> (8 - bits))
  const bias = Int32Array.from(randomCodes(seed + 2, columns), (code) => code * 64)
  const tensor = (id, channels) => ({
    id,
    name: `t${id}`,
    format: 's8',
    height: rows,
    width: 1,
    channels,
    scale: 1,
    zeroPoint: 0,
    range: { low: -128, high: 127 },
  })
  // Sums of `depth` products of two codes of standard deviation 74 spread over the bytes.
  const ratio = dyadicRatios([40 / (74 * (74 / 2 ** (8 - bits)) * Math.sqrt(depth))], 'gemm')
  const [multiplier] = ratio.multipliers
  const { shift } = ratio
  const [input, output] = [tensor(0, depth), tensor(1, columns)]
  const requantisation = { multipliers: new Int32Array(columns).fill(multiplier), shift, left: ratio.left }
  const graph = {
    name: `gemm ${rows} ${columns} ${depth}`,
    inputs: [],
    outputs: [],
    tensors: [input, output],
    instructions: [
      {
        kind: 'convolution',
        name: 'gemm',
        input,
        output,
        window: { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
        groups: 1,
        weights,
        weightZeroPoints: new Int16Array(columns),
        weightFormat: 's8',
        bias,
        inputZeroPoints: new Int16Array(depth).fill(3),
        requantisation,
        outputZeroPoint: -5,
        clamp: { low: -128, high: 127 },
      },
    ],
  }
  // Nothing is imported: both tensors must have a place of their own, so the input lives through the run.
  const program = emitGpuProgram({
    ...graph,
    instructions: [
      { kind: 'constant', name: 'left', output: input, codes: left },
      ...graph.instructions,
      {
        kind: 'export',
        name: 'y',
        input: output,
        outputName: 'y',
        format: 's8',
        start: 0,
        loops: [{ count: rows * columns, step: 1 }],
      },
    ],
    outputs: [{ name: 'y', shape: [1, columns, rows, 1], format: 's8', layout: 'nchw', scale: [1], zeroPoint: [0] }],
  })
  const expected = (m, n) => {
    let sum = bias[n]
    for (let k = 0; k < depth; k++) sum += (left[m * depth + k] - 3) * weights[n * depth + k]
    return clamp(requantize(sum, multiplier, shift) - 5, -128, 127)
  }
  return { program, expected }
}
