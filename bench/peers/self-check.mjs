/**
 * Checks the contestants before their times are believed: the models compute what their integers say, the yardstick is
 * exact, and the stopwatch orders three known loads. Prints one line a check; the exit code says whether all held.
 */
import { measure, quantile } from './interleave.mjs'
import { convolution, matrixProduct } from './kernel-models.mjs'
import { createOrtWeb, ortWebVersion } from './ort-web.mjs'
import { createYardstick, exactProduct, yardstickProduct } from './yardstick/yardstick.mjs'

let failures = 0
function check(name, holds, detail = '') {
  if (!holds) failures += 1
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${name}${detail === '' ? '' : `: ${detail}`}`)
}

async function output({ onnx, feeds }) {
  const network = await createOrtWeb(onnx)
  const { y } = await network.run(feeds)
  await network.release()
  return y.data
}

/** Integer sums of a convolution with padding kernel/2, (O, H, W), weights (O, I/group, R, S). */
function convolutionSums(codes, weights, { inputs, outputs, size, kernel, depthwise }) {
  const sums = []
  const perGroup = depthwise ? 1 : inputs
  const pad = (kernel - 1) / 2
  for (let o = 0; o < outputs; o += 1)
    for (let h = 0; h < size; h += 1)
      for (let w = 0; w < size; w += 1) {
        let sum = 0
        for (let i = 0; i < perGroup; i += 1)
          for (let r = 0; r < kernel; r += 1)
            for (let s = 0; s < kernel; s += 1) {
              const [y, x, channel] = [h + r - pad, w + s - pad, depthwise ? o : i]
              if (y < 0 || x < 0 || y >= size || x >= size) continue
              const weight = weights[((o * perGroup + i) * kernel + r) * kernel + s]
              sum += (codes[(channel * size + y) * size + x] - 128) * weight
            }
        sums.push(sum)
      }
  return sums
}

/** Integer sums of a matrix product, (M, N). */
function productSums(codes, weights, M, N, K) {
  return Array.from({ length: M * N }, (_, index) => {
    let sum = 0
    for (let k = 0; k < K; k += 1) sum += (codes[Math.floor(index / N) * K + k] - 128) * weights[k * N + (index % N)]
    return sum
  })
}

async function checkForms(kernelCase, sums, channelOf) {
  const { name, forms, weightScales, activationScale, outputScale } = kernelCase
  const real = sums.map((sum, index) => sum * activationScale * weightScales[channelOf(index)])
  const largest = Math.max(...real.map(Math.abs))
  const off = (values, unit) => Math.max(...Array.from(values, (value, index) => Math.abs(value - unit(real[index]))))
  const code = (value) => Math.min(255, Math.max(0, Math.round(value / outputScale) + 128))
  const float = off(await output(forms.fp32), (value) => value) / largest
  check(`${name} fp32 follows the integers`, float < 1e-5, `largest relative error ${float.toExponential(1)}`)
  const qlinear = await output(forms.qlinear)
  check(`${name} qlinear within one code`, off(qlinear, code) <= 1)
  const spread = new Set(qlinear).size
  check(`${name} outputs take more than half of the codes`, spread > 128, `${spread} distinct codes`)
  const qdq = off(await output(forms.qdq), (value) => (code(value) - 128) * outputScale)
  check(`${name} qdq within one code`, qdq <= outputScale * 1.001)
}

console.log(`Node ${process.version}, onnxruntime-web ${ortWebVersion}`)

const product = matrixProduct(33, 24, 64)
const sums = productSums(product.activations, product.weights, 33, 24, 64)
await checkForms(product, sums, (index) => index % 24)
const integer = await output(product.forms.integer)
check(
  'gemm_33_24_64 integer is exact',
  sums.every((sum, index) => sum === integer[index]),
)

for (const shape of [
  { inputs: 16, outputs: 24, size: 9, kernel: 3, depthwise: false },
  { inputs: 16, outputs: 16, size: 12, kernel: 3, depthwise: true },
]) {
  const kernelCase = convolution(shape)
  const expected = convolutionSums(kernelCase.activations, kernelCase.weights, shape)
  await checkForms(kernelCase, expected, (index) => Math.floor(index / shape.size ** 2))
}

for (const [M, N, K] of [
  [33, 24, 64],
  [197, 192, 768],
]) {
  const small = yardstickProduct(matrixProduct(M, N, K))
  small.bias = Int32Array.from({ length: N }, (_, n) => (n - N / 2) * 997)
  const yardstick = await createYardstick(small)
  yardstick.run()
  const found = yardstick.output()
  const expected = exactProduct(small)
  check(
    `yardstick ${M}x${N}x${K} is exact`,
    found.every((value, index) => value === expected[index]),
    `${new Set(found).size} distinct values`,
  )
}

check(
  'quantile interpolates',
  quantile([1, 2, 3, 4], 0.5) === 2.5 && quantile([1, 2, 3], 0.5) === 2 && quantile([5], 0.1) === 5,
)
let sink = 0
const spin = (count) => () => {
  for (let index = 0; index < count; index += 1) sink = (Math.imul(sink, 1664525) + 1013904223) | 0
}
const { timings } = await measure(
  { one: spin(1e5), two: spin(2e5), four: async () => spin(4e5)() },
  { bursts: 7, minMillisecondsPerBurst: 20, warmUpMilliseconds: 100 },
)
const ratios = [timings.two.median / timings.one.median, timings.four.median / timings.two.median]
check(
  'the stopwatch sees loads double',
  ratios.every((ratio) => ratio > 1.7 && ratio < 2.3),
  ratios.map((ratio) => ratio.toFixed(2)).join(', '),
)

process.exitCode = failures === 0 ? 0 : 1
