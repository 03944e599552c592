/** What must hold for a row of `npm run real`: the network's own gates, and those that every program has to pass. */

/** Largest module without its data segments, in bytes. */
export const MOST_CODE_BYTES = 50 * 1024

/**
 * @param {import('./measure.mjs').Row} row
 * @param {import('./networks.mjs').Gates} gates
 * @returns {string[]} One sentence per missed gate.
 */
export function missedGates(row, gates) {
  const { float, integer, lost, gained, total, agreement } = row
  /** @type {[boolean, string][]} */
  const checks = [
    [
      gates.float === undefined || Math.abs(float - gates.float) <= 1,
      `the float network has ${float}/${total} right, expected ${gates.float} ± 1: check preprocessing and float executor`,
    ],
    [
      gates.integerAtLeast === undefined || integer >= gates.integerAtLeast,
      `the program has ${integer}/${total} right, at least ${gates.integerAtLeast} are wanted`,
    ],
    [
      gates.lostMinusGained === undefined || lost - gained <= gates.lostMinusGained,
      `lost − gained is ${lost} − ${gained} = ${lost - gained}, at most ${gates.lostMinusGained} is allowed`,
    ],
    [
      gates.agreement === undefined || agreement >= gates.agreement,
      `agreement is ${agreement}, at least ${gates.agreement} is wanted`,
    ],
  ]
  return missed(row, [...checks, ...programChecks(row)])
}

/**
 * Misses that are named in natural.mjs, and those that are not: a network may be as far off as it is known to be, not
 * farther.
 * @param {import('./measure-natural.mjs').NaturalRow} row
 * @param {import('./natural.mjs').Gates} gates
 * @returns {{ known: string[], missed: string[] }} One sentence per missed gate.
 */
export function judgeNatural(row, gates) {
  const all = missedNaturalGates(row, gates)
  if (gates.known === undefined) return { known: [], missed: all }
  const { reason, ...floors } = gates.known
  const missed = missedNaturalGates(row, { ...gates, ...floors })
  const beyond = missed.length > 0
  return { known: beyond ? [] : all.map((message) => `${message} (${reason})`), missed }
}

/**
 * @param {import('./measure-natural.mjs').NaturalRow} row
 * @param {import('./natural.mjs').Gates} gates
 * @returns {string[]} One sentence per missed gate.
 */
export function missedNaturalGates(row, gates) {
  const { outputs, boxes } = row
  /** @type {[boolean, string][]} */
  const checks = outputs.map(({ name, sqnrDb }) => [
    sqnrDb >= gates.sqnrDb,
    `output ${name} has ${sqnrDb} dB, at least ${gates.sqnrDb} are wanted`,
  ])
  if (boxes && gates.overlap !== undefined)
    checks.push([
      boxes.worstOverlap >= gates.overlap,
      `of the ${boxes.count} best boxes one overlaps the float box by ${boxes.worstOverlap} only (mean ${boxes.meanOverlap}; ` +
        `worst of the ${boxes.scored} with score ${boxes.score}: ${boxes.worstScoredOverlap}), ${gates.overlap} is wanted`,
    ])
  return missed(row, [...checks, ...programChecks(row)])
}

/** @returns {[boolean, string][]} What every program has to pass. */
function programChecks({ floatOpcodes, imports, codeBytes, verified }) {
  return [
    [floatOpcodes === 0, `the module has ${floatOpcodes} float instructions`],
    [imports === 0, `the module has ${imports} imports`],
    [
      codeBytes <= MOST_CODE_BYTES,
      `code beside weights has ${codeBytes} bytes, at most ${MOST_CODE_BYTES} are allowed`,
    ],
    [verified, 'the module does not verify'],
  ]
}

function missed(row, checks) {
  return checks.filter(([holds]) => !holds).map(([, message]) => `${row.network} on ${row.set}: ${message}`)
}
