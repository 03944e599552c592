/** Where there is speech, of the probabilities of consecutive windows. */

/** Speech begins at the first probability and has ended where it stays below the second. */
const BEGINS = 0.5
const ENDS = 0.35
/** Seconds: shorter silence does not end speech, and shorter speech is none. */
const SILENCE = 0.1
const SPEECH = 0.25

/**
 * @param {readonly number[]} probabilities @param {number} seconds Of a window.
 * @returns {{ from: number, to: number }[]} In seconds.
 */
export function speechSegments(probabilities, seconds) {
  const found = []
  let from = -1
  let quiet = 0
  const end = (to) => {
    if ((to - from) * seconds >= SPEECH) found.push({ from: from * seconds, to: to * seconds })
    from = -1
  }
  for (const [t, probability] of probabilities.entries()) {
    if (from < 0 && probability >= BEGINS) from = t
    if (from < 0) continue
    quiet = probability < ENDS ? quiet + 1 : 0
    if (quiet * seconds >= SILENCE) end(t + 1 - quiet)
  }
  if (from >= 0) end(probabilities.length - quiet)
  return found
}
