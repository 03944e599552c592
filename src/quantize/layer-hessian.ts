/**
 * The Hessian of a layer's squared output error: (2 / rows) · XᵀX of each group's inputs. Products of some hundred rows at
 * a time are single-precision sums on the SIMD kernels; the batches are added up in double precision.
 */
import { PANEL, panelled } from '../reference/fast/pack-weights.ts'
import { WeightProducts } from './weight-products.ts'

const BATCH = 256

/** One row-major square matrix per group; `inputs` are [row][group][tap]. */
export function hessiansOf(inputs: Float32Array, rows: number, groups: number, taps: number): Float64Array[] {
  const batch = Math.min(BATCH, rows)
  const products = new WeightProducts({ rows, batch, groups, taps, outputs: groups * taps }, inputs)
  const hessians = Array.from({ length: groups }, () => new Float64Array(taps * taps))
  const chosen = new Int32Array(batch)
  const lanes = panelled(taps)
  for (let first = 0; first < rows; first += batch) {
    const count = Math.min(batch, rows - first)
    products.values.fill(0)
    for (let m = 0; m < batch; m++) {
      // Rows beyond the last are multiplied by zeros.
      const row = first + Math.min(m, count - 1)
      chosen[m] = row
      if (m >= count) continue
      for (let group = 0; group < groups; group++)
        for (let t = 0; t < taps; t++) {
          const panel = (group * lanes + t - (t % PANEL)) / PANEL
          products.values[(panel * batch + m) * PANEL + (t % PANEL)] = inputs[(row * groups + group) * taps + t]
        }
    }
    products.backward(chosen)
    hessians.forEach((hessian, group) => {
      for (let j = 0; j < taps; j++) {
        const panel = (group * lanes + j - (j % PANEL)) / PANEL
        const start = panel * taps * PANEL + (j % PANEL)
        for (let i = 0; i < taps; i++) hessian[j * taps + i] += (2 / rows) * products.gradients[start + i * PANEL]
      }
    })
  }
  // Both halves are the same sums in another order.
  for (const hessian of hessians)
    for (let i = 0; i < taps; i++) for (let j = 0; j < i; j++) hessian[i * taps + j] = hessian[j * taps + i]
  return hessians
}
