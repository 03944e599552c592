/**
 * Builds the yardstick kernel (gemm.ts beside this file) and lays out one matrix product for it.
 *
 * The kernel is compiled when the bench runs, with the AssemblyScript compiler of the repository's root and the flags
 * under which it was first measured.
 */
import { readFileSync } from 'node:fs'
import asc from 'assemblyscript/asc'

const compilerFlags = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
  ...['--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
]

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled

async function compile() {
  let binary
  const { error, stderr } = await asc.main(['gemm.ts', '--outFile', 'gemm.wasm', ...compilerFlags], {
    readFile: (name) => (name === 'gemm.ts' ? readFileSync(new URL('gemm.ts', import.meta.url), 'utf8') : null),
    writeFile: (_name, contents) => {
      binary = contents
    },
    listFiles: () => [],
  })
  if (error) throw new Error(`the yardstick kernel does not compile: ${stderr.toString()}`, { cause: error })
  return WebAssembly.compile(binary)
}

/** B (K, N) in row-major s8 as s16 panels [N/8][K/2][8][2]. */
function packPanels(weights, N, K) {
  const panels = new Int16Array(N * K)
  let next = 0
  for (let column = 0; column < N; column += 8)
    for (let k = 0; k < K; k += 2)
      for (let lane = 0; lane < 8; lane += 1)
        for (let pair = 0; pair < 2; pair += 1) panels[next++] = weights[(k + pair) * N + column + lane]
  return panels
}

/**
 * Prepares one product. Rows are filled up to a multiple of 4 with zeros and those rows are computed too, so 197 rows
 * cost the yardstick 200.
 * @param {{
 *   M: number, N: number, K: number,
 *   activations: Int8Array | Int16Array, weights: Int8Array,
 *   bias: Int32Array, multiplier: Int32Array, shift: number,
 * }} product `activations` (M, K) without zero point, `weights` (K, N).
 * @returns {Promise<{ run(): void, output(): Int8Array }>} `output` is a copy of the (M, N) result.
 */
export async function createYardstick({ M, N, K, activations, weights, bias, multiplier, shift }) {
  if (N % 8 !== 0 || K % 2 !== 0)
    throw new RangeError(`the yardstick wants N in eights and K in twos, not ${N} and ${K}`)
  compiled ??= compile()
  const rows = Math.ceil(M / 4) * 4
  let end = 64
  const place = (bytes) => {
    const offset = end
    end = Math.ceil((end + bytes) / 64) * 64
    return offset
  }
  const [a, b, c] = [place(rows * K * 2), place(N * K * 2), place(rows * N)]
  const [biasOffset, multiplierOffset] = [place(N * 4), place(N * 4)]
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536), maximum: 65536 })
  new Int16Array(memory.buffer, a, M * K).set(activations)
  new Int16Array(memory.buffer, b, N * K).set(packPanels(weights, N, K))
  new Int32Array(memory.buffer, biasOffset, N).set(bias)
  new Int32Array(memory.buffer, multiplierOffset, N).set(multiplier)
  const { exports } = await WebAssembly.instantiate(await compiled, { env: { memory } })
  const gemm = /** @type {Function} */ (exports.gemm)
  return {
    run: () => {
      gemm(a, b, c, biasOffset, multiplierOffset, rows, N, K, shift)
    },
    output: () => new Int8Array(memory.buffer, c, M * N).slice(),
  }
}

/**
 * The product of a kernel case (kernel-models.mjs) for the yardstick: its zero point removed, its scales as multipliers.
 * @param {import('../kernel-models.mjs').KernelCase} kernelCase a matrix product
 */
export function yardstickProduct(kernelCase) {
  const { activations, weights, weightScales, activationZeroPoint, activationScale, outputScale } = kernelCase
  const [M, K] = kernelCase.forms.fp32.feeds.x.dims
  const N = weightScales.length
  const ratios = Array.from(weightScales, (scale) => (scale * activationScale) / outputScale)
  // The largest shift that keeps every multiplier below 2^31.
  const shift = Math.min(62, 30 - Math.floor(Math.log2(Math.max(...ratios))))
  return {
    ...{ M, N, K, weights, shift },
    activations: Int16Array.from(activations, (code) => code - activationZeroPoint),
    bias: new Int32Array(N),
    multiplier: Int32Array.from(ratios, (ratio) => Math.round(ratio * 2 ** shift)),
  }
}

/** The same product by the definition, in exact integers. @returns {Int8Array} */
export function exactProduct({ M, N, K, activations, weights, bias, multiplier, shift }) {
  const output = new Int8Array(M * N)
  const half = 1n << BigInt(shift - 1)
  for (let m = 0; m < M; m += 1) {
    for (let n = 0; n < N; n += 1) {
      let sum = bias[n]
      for (let k = 0; k < K; k += 1) sum += activations[m * K + k] * weights[k * N + n]
      const scaled = Number((BigInt(sum) * BigInt(multiplier[n]) + half) >> BigInt(shift))
      output[m * N + n] = Math.min(127, Math.max(-128, scaled))
    }
  }
  return output
}
