/**
 * Weights in the order in which the kernels read them: panels of 8 output channels, padded with zeros. Input weights are
 * (O, I/groups, KH, KW) row-major, as in ONNX.
 */

/** Output channels per panel; the tile width of src/kernels/assembly/float. */
export const PANEL = 8

/** Rounds up to whole panels. */
export function panelled(channels: number): number {
  return Math.ceil(channels / PANEL) * PANEL
}

/** For `convolve`: [group][panel][KH][KW][I/groups][8]. */
export function packConvolution(
  weights: Float32Array,
  outputs: number,
  groups: number,
  inputs: number,
  area: number,
): Float32Array {
  const perGroup = outputs / groups
  const lanes = panelled(perGroup)
  const packed = new Float32Array(groups * lanes * inputs * area)
  for (let output = 0; output < outputs; output++) {
    const group = Math.floor(output / perGroup)
    const lane = output % perGroup
    const panel = (group * lanes + lane - (lane % PANEL)) * inputs * area + (lane % PANEL)
    for (let input = 0; input < inputs; input++)
      for (let position = 0; position < area; position++)
        packed[panel + (position * inputs + input) * PANEL] = weights[(output * inputs + input) * area + position]
  }
  return packed
}

/** For `depthwise`: [panel][KH · KW][8]. */
export function packDepthwise(weights: Float32Array, channels: number, area: number): Float32Array {
  return packConvolution(weights, channels, 1, 1, area)
}

/** One number per panel lane, group by group; zeros without `bias`. */
export function packBias(bias: Float32Array | undefined, outputs: number, groups: number): Float32Array {
  const perGroup = outputs / groups
  const lanes = panelled(perGroup)
  const packed = new Float32Array(groups * lanes)
  for (let output = 0; bias && output < outputs; output++)
    packed[Math.floor(output / perGroup) * lanes + (output % perGroup)] = bias[output]
  return packed
}
