/**
 * The meaning of an integer convolution (rules R3, R4, R12 of docs/arithmetic.md), any stride, padding, dilation and
 * groups; a dense layer is the case where the kernel is as large as the input. Input and output have 8, 16 or 32 bits.
 *
 * acc[h,w,o] = Σ (x[h·s+i·d−p, …, c] − zx[c]) × weight[o,i,j,c], taps in the padding count as 0
 * weight     = (code − zw[o]) × factor of its group
 * out        = clamp(requantize((acc + bias[o]) << left) + residual, …) + zero point, limited to the clamp interval
 */
import { clamp, requantize, requantizeSum } from '../../num/requantize.ts'
import { channelsPerGroup, type Stored, type WindowGeometry } from './geometry.ts'

export interface ConvolutionParameters extends WindowGeometry {
  readonly groups: number
  /** [output][kernelHeight][kernelWidth][input / groups]. */
  readonly weights: Int8Array | Int16Array
  readonly weightZeroPoints: Int16Array
  /** Groups of `size` consecutive weights of an output channel have a factor each, [output][group] (R12). */
  readonly weightGroups?: { readonly size: number; readonly factors: Uint8Array }
  readonly bias: Int32Array
  readonly inputZeroPoints: Int16Array
  readonly multipliers: Int32Array
  readonly shift: number
  readonly left: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
  readonly residual?: {
    readonly tensor: Stored
    readonly zeroPoint: number
    readonly multiplier: number
    readonly left: number
  }
}

/** The weights that are multiplied: code − zero point, times the factor of the group (R12). */
function effectiveWeights(p: ConvolutionParameters, outputs: number, taps: number): Int16Array {
  const effective = new Int16Array(p.weights.length)
  for (let o = 0, group = 0; o < outputs; o++) {
    for (let t = 0, within = 0; t < taps; t++, within++) {
      if (within === p.weightGroups?.size) {
        within = 0
        group++
      }
      const factor = p.weightGroups === undefined ? 1 : p.weightGroups.factors[group]
      effective[o * taps + t] = (p.weights[o * taps + t] - p.weightZeroPoints[o]) * factor
    }
    group++
  }
  return effective
}

/** Fills `output`; reads `input` (never the same array). */
export function convolution(input: Stored, output: Stored, p: ConvolutionParameters): void {
  const inputs = channelsPerGroup(input.channels, p.groups)
  const outputs = channelsPerGroup(output.channels, p.groups)
  const [kernelHeight, kernelWidth] = p.kernel
  const { data } = input
  const { inputZeroPoints } = p
  const taps = kernelHeight * kernelWidth * inputs
  const weights = effectiveWeights(p, output.channels, taps)
  for (let h = 0; h < output.height; h++)
    for (let w = 0; w < output.width; w++)
      for (let o = 0, group = 0; o < output.channels; o++) {
        if (o === (group + 1) * outputs) group++
        let accumulator = 0
        for (let i = 0; i < kernelHeight; i++) {
          const y = h * p.strides[0] + i * p.dilations[0] - p.pads[0]
          if (y < 0 || y >= input.height) continue
          for (let j = 0; j < kernelWidth; j++) {
            const x = w * p.strides[1] + j * p.dilations[1] - p.pads[1]
            if (x < 0 || x >= input.width) continue
            const source = (y * input.width + x) * input.stride + group * inputs
            const weight = o * taps + (i * kernelWidth + j) * inputs
            for (let c = 0; c < inputs; c++)
              accumulator += (data[source + c] - inputZeroPoints[group * inputs + c]) * weights[weight + c]
          }
        }
        const value = (accumulator + p.bias[o]) << p.left
        const position = (h * output.width + w) * output.stride + o
        const requantised =
          p.residual === undefined
            ? requantize(value, p.multipliers[o], p.shift)
            : requantizeSum(
                value,
                p.multipliers[o],
                (p.residual.tensor.data[position] - p.residual.zeroPoint) << p.residual.left,
                p.residual.multiplier,
                p.shift,
              )
        output.data[position] = clamp(requantised + p.outputZeroPoint, p.low, p.high)
      }
}
