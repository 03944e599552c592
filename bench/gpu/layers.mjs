/**
 * One convolution as a GPU program: signed bytes in, requantised to signed bytes, input from the constants; and what any entry
 * of the result must be. The layers are those of ResNet-50 and MobileNetV2 that hold most of their work, and their stem.
 */
import { emitGpuProgram } from '../../dist/gpu/emit.js'
import { dyadicRatios } from '../../dist/num/dyadic.js'
import { requantize } from '../../dist/num/requantize.js'
import { randomCodes } from './random-gemm.mjs'

const layer = (name, side, inputs, outputs, kernel, stride = 1, groups = 1) => ({
  ...{ name, side, inputs, outputs, kernel, stride, groups },
  pad: kernel >> 1,
  outputSide: Math.floor((side + 2 * (kernel >> 1) - kernel) / stride) + 1,
})

export const layers = [
  layer('7×7/2 3→64 at 224²', 224, 3, 64, 7, 2),
  layer('3×3 64→64 at 56²', 56, 64, 64, 3),
  layer('3×3 128→128 at 28²', 28, 128, 128, 3),
  layer('3×3 256→256 at 14²', 14, 256, 256, 3),
  layer('3×3 512→512 at 7²', 7, 512, 512, 3),
  layer('1×1 256→64 at 56²', 56, 256, 64, 1),
  layer('1×1 64→256 at 56²', 56, 64, 256, 1),
  layer('1×1 1024→256 at 14²', 14, 1024, 256, 1),
  layer('1×1 512→2048 at 7²', 7, 512, 2048, 1),
  layer('1×1 24→144 at 56²', 56, 24, 144, 1),
  layer('1×1 960→160 at 7²', 7, 960, 160, 1),
  layer('depthwise 3×3 32 at 112²', 112, 32, 32, 3, 1, 32),
  layer('depthwise 3×3 144 at 56²', 56, 144, 144, 3, 1, 144),
  layer('depthwise 3×3/2 144 at 56²', 56, 144, 144, 3, 2, 144),
  layer('depthwise 3×3 960 at 7²', 7, 960, 960, 3, 1, 960),
]

/** Multiplications of one image. */
export const multiplications = ({ outputSide, outputs, inputs, kernel, groups }) =>
  outputSide ** 2 * outputs * (inputs / groups) * kernel ** 2

const INPUT_ZERO = 3
const OUTPUT_ZERO = -5
/** Standard deviation of uniform bytes. */
const DEVIATION = 74

/** Program of a layer, and the entry of channel `o` at a place of the first image. */
export function layerProgram({ name, side, inputs, outputs, kernel, stride, groups, pad, outputSide }) {
  const perOutput = inputs / groups
  const depth = perOutput * kernel ** 2
  const codes = randomCodes(21, side * side * inputs)
  const weights = randomCodes(22, outputs * depth)
  const bias = Int32Array.from(randomCodes(23, outputs), (code) => code * 64)
  const { multipliers, shift, left } = dyadicRatios([40 / (DEVIATION ** 2 * Math.sqrt(depth))], name)
  const tensor = (id, extent, channels) => ({
    ...{ id, name: `t${id}`, format: 's8', height: extent, width: extent, channels, scale: 1, zeroPoint: 0 },
    range: { low: -128, high: 127 },
  })
  const [input, output] = [tensor(0, side, inputs), tensor(1, outputSide, outputs)]
  const program = emitGpuProgram({
    name,
    inputs: [],
    tensors: [input, output],
    outputs: [
      {
        ...{ name: 'y', shape: [1, outputSide, outputSide, outputs], format: 's8', layout: 'nhwc' },
        ...{ scale: [1], zeroPoint: [0] },
      },
    ],
    instructions: [
      { kind: 'constant', name: 'x', output: input, codes },
      {
        ...{ kind: groups > 1 ? 'depthwise' : 'convolution', name, input, output, groups, weights, bias },
        window: { kernel: [kernel, kernel], strides: [stride, stride], dilations: [1, 1], pads: [pad, pad, pad, pad] },
        weightZeroPoints: new Int16Array(outputs),
        weightFormat: 's8',
        inputZeroPoints: new Int16Array(inputs).fill(INPUT_ZERO),
        requantisation: { multipliers: new Int32Array(outputs).fill(multipliers[0]), shift, left },
        outputZeroPoint: OUTPUT_ZERO,
        clamp: { low: -128, high: 127 },
      },
      {
        ...{ kind: 'export', name: 'y', input: output, outputName: 'y', format: 's8', start: 0 },
        loops: [{ count: outputSide ** 2 * outputs, step: 1 }],
      },
    ],
  })
  const expected = (row, column, o) => {
    let sum = bias[o]
    const first = Math.floor(o / (outputs / groups)) * perOutput
    for (let i = 0; i < perOutput; i++)
      for (let ky = 0; ky < kernel; ky++)
        for (let kx = 0; kx < kernel; kx++) {
          const [y, x] = [row * stride - pad + ky, column * stride - pad + kx]
          if (y < 0 || x < 0 || y >= side || x >= side) continue
          const weight = weights[((o * kernel + ky) * kernel + kx) * perOutput + i]
          sum += (codes[(y * side + x) * inputs + first + i] - INPUT_ZERO) * weight
        }
    return Math.max(-128, Math.min(127, requantize(sum, multipliers[0], shift) + OUTPUT_ZERO))
  }
  return { program, expected }
}
