// The exponential of the softmax kernels at every float32 from −87 to 88: node bench/functions/softmax-accuracy.mjs
// Prints the largest error in units in the last place of the exact value, and where it is; exit code 1 above 1.964. Exact
// means `Math.exp` in double, whose own error is below 1e-8 of such a unit. Numbers below 2^-30 in size, whose exponential
// is 1 to float32, are left out.

import { createSoftmax } from '../../dist/functions/softmax-instance.js'

const instance = createSoftmax()
const words = new Uint32Array(1)
const float = new Float32Array(words.buffer)
const bitsOf = (value) => {
  float[0] = value
  return words[0]
}
const COUNT = 1 << 20
const bits = new Uint32Array(COUNT)
const x = new Float32Array(bits.buffer)
let [most, at, total] = [0, 0, 0]
for (const sign of [1, -1]) {
  const last = bitsOf(sign > 0 ? 88 : -87)
  for (let first = bitsOf(sign * 2 ** -30); first <= last; first += COUNT) {
    const count = Math.min(COUNT, last - first + 1)
    for (let i = 0; i < count; i++) bits[i] = first + i
    const { mantissas, exponents } = instance.exponentials(x.subarray(0, count))
    for (let i = 0; i < count; i++) {
      const exact = Math.exp(x[i])
      const unit = 2 ** (Math.floor(Math.log2(exact)) - 23)
      const error = Math.abs(mantissas[i] * 2 ** exponents[i] - exact) / unit
      if (!(error <= most)) [most, at] = [error, x[i]]
    }
    total += count
  }
}
console.log(`${total} numbers; largest error ${most} units in the last place, at ${at}`)
process.exitCode = most <= 1.964 ? 0 : 1
