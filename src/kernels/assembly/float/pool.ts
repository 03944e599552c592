/**
 * Float32 pooling over one NHWC sample, simd128. Windows are cut at the tensor's edge: padding never takes part in a
 * maximum and adds nothing to a sum. The channel stride is a multiple of 4.
 */

/** Bytes and counts of one axis' window: the first and one-past-last kernel position inside the tensor. */
// @ts-ignore: decorator
@inline
function firstTap(start: i32, dilation: i32): i32 {
  return start < 0 ? (dilation - 1 - start) / dilation : 0
}

// @ts-ignore: decorator
@inline
function endTap(start: i32, dilation: i32, kernel: i32, size: i32): i32 {
  return min(kernel, size > start ? (size - start + dilation - 1) / dilation : 0)
}

/** Largest value of each window; a NaN in a window makes the result NaN. A window wholly in padding gives −∞. */
export function maxPool(
  input: usize, height: i32, width: i32, channels: i32, output: usize, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideHeight: i32, strideWidth: i32, dilationHeight: i32, dilationWidth: i32,
  top: i32, left: i32,
): void {
  const pixelBytes = <usize>channels << 2
  for (let y = 0; y < outputHeight; y++) {
    const y0 = y * strideHeight - top
    const rowFirst = firstTap(y0, dilationHeight), rowEnd = endTap(y0, dilationHeight, kernelHeight, height)
    for (let x = 0; x < outputWidth; x++) {
      const x0 = x * strideWidth - left
      const columnFirst = firstTap(x0, dilationWidth), columnEnd = endTap(x0, dilationWidth, kernelWidth, width)
      for (let c: usize = 0; c < pixelBytes; c += 16) {
        let best = f32x4.splat(-Infinity)
        for (let i = rowFirst; i < rowEnd; i++) {
          const row = input + <usize>((y0 + i * dilationHeight) * width) * pixelBytes + c
          for (let j = columnFirst; j < columnEnd; j++)
            best = f32x4.max(best, v128.load(row + <usize>(x0 + j * dilationWidth) * pixelBytes))
        }
        v128.store(output + c, best)
      }
      output += pixelBytes
    }
  }
}

/**
 * Sum of each window divided by its number of positions: those inside the tensor, or with `includePadding` those
 * inside the padded tensor, whose size is top + height + bottom by left + width + right.
 */
export function averagePool(
  input: usize, height: i32, width: i32, channels: i32, output: usize, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideHeight: i32, strideWidth: i32, dilationHeight: i32, dilationWidth: i32,
  top: i32, left: i32, bottom: i32, right: i32, includePadding: i32,
): void {
  const pixelBytes = <usize>channels << 2
  for (let y = 0; y < outputHeight; y++) {
    const y0 = y * strideHeight - top
    const rowFirst = firstTap(y0, dilationHeight), rowEnd = endTap(y0, dilationHeight, kernelHeight, height)
    const rows = includePadding ? endTap(y0, dilationHeight, kernelHeight, height + bottom) : rowEnd - rowFirst
    for (let x = 0; x < outputWidth; x++) {
      const x0 = x * strideWidth - left
      const columnFirst = firstTap(x0, dilationWidth), columnEnd = endTap(x0, dilationWidth, kernelWidth, width)
      const columns = includePadding ? endTap(x0, dilationWidth, kernelWidth, width + right) : columnEnd - columnFirst
      const count = f32x4.splat(<f32>(rows * columns))
      for (let c: usize = 0; c < pixelBytes; c += 16) {
        let sum = f32x4.splat(0)
        for (let i = rowFirst; i < rowEnd; i++) {
          const row = input + <usize>((y0 + i * dilationHeight) * width) * pixelBytes + c
          for (let j = columnFirst; j < columnEnd; j++)
            sum = f32x4.add(sum, v128.load(row + <usize>(x0 + j * dilationWidth) * pixelBytes))
        }
        v128.store(output + c, f32x4.div(sum, count))
      }
      output += pixelBytes
    }
  }
}
