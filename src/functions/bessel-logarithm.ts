/**
 * log I_v(x) and log K_v(x), the logarithms of the modified Bessel functions of real order v ≥ 0 and argument x > 0, where
 * the functions themselves under- or overflow (Plesner, Sørensen and Hauberg 2024, "Accurate computation of the logarithm of
 * modified Bessel functions on GPUs"): few regions, one closed expression each, chosen by √(v² + x²) alone.
 *
 * For 0 ≤ v ≤ 10^6 and 10^-300 < x < 10^6 the error is at most 1e-13·max(1, |value|), zeros of the logarithms included.
 * Beyond, while v and x are finite, the result is finite where the value is and its error a few units of the larger of v, x
 * and the value. Limits: log I_0(0) = 0, log I_v(0) = −∞, log K_v(0) = ∞; at x = ∞ they are ∞ and −∞; at v = ∞ −∞ and ∞. A
 * NaN, a negative order or a negative argument, and v = x = ∞, give NaN, as `Math.log` does.
 */
import { DyadicError } from '../error.ts'
import { logBesselKOrigin } from './bessel-origin.ts'
import { logBesselISeries } from './bessel-series.ts'
import { LEAST_RADIUS, logBesselIUniform, logBesselKUniform, radiusOf } from './bessel-uniform.ts'

/** Arguments outside 0 < v, x < ∞, except v = 0: the value of log I, or of −log K but for v = x = 0. */
function limit(order: number, argument: number, atOrigin: number): number {
  if (!(order >= 0 && argument >= 0) || (order === Infinity && argument === Infinity)) return Number.NaN
  if (order === Infinity) return -Infinity
  if (argument === Infinity) return Infinity
  return order === 0 ? atOrigin : -Infinity
}

/** log I_v(x). */
export function logBesselI(order: number, argument: number): number {
  if (!(order >= 0 && argument > 0 && order < Infinity && argument < Infinity)) return limit(order, argument, 0)
  const radius = radiusOf(order, argument)
  return radius >= LEAST_RADIUS ? logBesselIUniform(order, argument, radius) : logBesselISeries(order, argument)
}

/** log K_v(x). */
export function logBesselK(order: number, argument: number): number {
  if (!(order >= 0 && argument > 0 && order < Infinity && argument < Infinity))
    return -limit(order, argument, -Infinity)
  const radius = radiusOf(order, argument)
  return radius >= LEAST_RADIUS ? logBesselKUniform(order, argument, radius) : logBesselKOrigin(order, argument)
}

function requireLengths(orders: number | Float64Array, values: Float64Array, out: Float64Array): void {
  const count = typeof orders === 'number' ? values.length : orders.length
  if (count !== values.length || out.length !== values.length)
    throw new DyadicError(
      'usage',
      `${count} orders, ${values.length} arguments and room for ${out.length} results; give arrays of one length`,
    )
}

/**
 * log I of every argument, into `out` (which may be `values`) and back: `orders` is one order for all, or one for each.
 * Throws `usage` when the lengths differ.
 */
export function fillLogBesselI(orders: number | Float64Array, values: Float64Array, out: Float64Array): Float64Array {
  requireLengths(orders, values, out)
  if (typeof orders === 'number') for (let i = 0; i < values.length; i++) out[i] = logBesselI(orders, values[i]!)
  else for (let i = 0; i < values.length; i++) out[i] = logBesselI(orders[i]!, values[i]!)
  return out
}

/** log K of every argument, as {@link fillLogBesselI}. */
export function fillLogBesselK(orders: number | Float64Array, values: Float64Array, out: Float64Array): Float64Array {
  requireLengths(orders, values, out)
  if (typeof orders === 'number') for (let i = 0; i < values.length; i++) out[i] = logBesselK(orders, values[i]!)
  else for (let i = 0; i < values.length; i++) out[i] = logBesselK(orders[i]!, values[i]!)
  return out
}
