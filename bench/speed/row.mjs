/** A row of the bench, from the timings of one interleaved run. */

/** @typedef {Record<string, import('../peers/interleave.mjs').Timing>} Timings */
/**
 * @typedef {{
 *   case: string,
 *   ours_ms: number,
 *   ours_integer_ms?: number,
 *   ours_gmacs?: number,
 *   peers: Record<string, number>,
 *   ratio_ort_web_fp32: number | null,
 *   ratio_best_int8: number | null,
 *   ratio_yardstick?: number,
 *   disturbed: number,
 *   plan: string,
 * }} SpeedRow Medians in milliseconds; ratios are peer over ours, above 1 where we are faster; `best_int8` is the
 *   quickest of the row's peers on 8-bit integers, null where the row has none; `ours_integer_ms` takes
 *   stored integers instead of float32; `ours_gmacs` are 10⁹ multiply-adds a second; `disturbed` counts the bursts of all
 *   the row's contestants that shared their core.
 */

const rounded = (value, digits) => Number(value.toFixed(digits))

/**
 * @param {{
 *   name: string, ours: string, integer?: string, peers: RegExp, timings: Timings, plan: string, multiplications?: number,
 * }} parts `ours` and `integer` name our contestants, `peers` matches those of the row.
 * @returns {SpeedRow}
 */
export function makeRow({ name, ours, integer, peers, timings, plan, multiplications }) {
  const time = timings[ours].median
  const chosen = Object.keys(timings).filter((contestant) => !contestant.startsWith('ours') && peers.test(contestant))
  const ratioTo = (contestants) => {
    const best = Math.min(...contestants.map((contestant) => timings[contestant].median))
    return Number.isFinite(best) ? rounded(best / time, 3) : null
  }
  const involved = [ours, ...(integer ? [integer] : []), ...chosen]
  return {
    case: name,
    ours_ms: rounded(time, 4),
    ...(integer && { ours_integer_ms: rounded(timings[integer].median, 4) }),
    ...(multiplications && { ours_gmacs: rounded(multiplications / time / 1e6, 1) }),
    peers: Object.fromEntries(chosen.map((contestant) => [contestant, rounded(timings[contestant].median, 4)])),
    ratio_ort_web_fp32: ratioTo(chosen.filter((contestant) => contestant === 'ort-web fp32')),
    ratio_best_int8: ratioTo(
      chosen.filter((contestant) => /^(ort-web (integer|qlinear|qdq|dynamic)|litert (int8|dynamic))$/.test(contestant)),
    ),
    ...(chosen.includes('yardstick') && { ratio_yardstick: ratioTo(['yardstick']) }),
    disturbed: involved.reduce((sum, contestant) => sum + timings[contestant].disturbed, 0),
    plan,
  }
}
