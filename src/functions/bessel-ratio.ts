/**
 * I_{v+1}(x)/I_v(x) to a few units in the last place, without a difference of logarithms (which would lose as many digits as
 * the logarithms are large): the uniform expansion away from the origin, the quotient of two power series near it.
 */
import { besselISeriesTail } from './bessel-series.ts'
import { besselIRatioUniform, LEAST_RADIUS, radiusOf } from './bessel-uniform.ts'

/** I_{v+1}(x)/I_v(x), from 0 to 1, for finite v ≥ 0 and x ≥ 0; NaN elsewhere. */
export function besselIRatio(order: number, argument: number): number {
  if (!(order >= 0 && argument >= 0 && order < Infinity && argument < Infinity)) return Number.NaN
  const radius = radiusOf(order, argument)
  if (radius >= LEAST_RADIUS) return argument === 0 ? 0 : besselIRatioUniform(order, argument, radius)
  const quarter = (argument / 2) * (argument / 2)
  return (
    ((argument / 2 / (order + 1)) * (1 + besselISeriesTail(order + 1, quarter))) /
    (1 + besselISeriesTail(order, quarter))
  )
}
