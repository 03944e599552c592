/**
 * Three other calibration draws of every labelled network that is calibrated, of the pinned draw's size. Data only.
 *
 * Every draw is disjoint from the pinned one, from the other draws and from the samples that are counted:
 * - CIFAR-10: samples 256–511, 512–767 and 768–1,023 of the file whose first 256 are pinned; counted on the same files.
 * - ImageNet pictures and keywords: the index rule's next phases, index % 5 = 1, 2, 3; counted on the 400 others of each
 *   draw, which are therefore not the pinned 400.
 * - MNIST: all 2,000 stored training digits are pinned, so draws are thirds of the test digits, index % 3 = 0, 1, 2 (1,667),
 *   and counted on the other two thirds.
 * - Glyphs: the generator's next numbers.
 */

/** How many draws there are beside the pinned one. */
export const DRAWS = [1, 2, 3]

const withSplit = (card, split) => ({ ...card, split })

/** The evaluation on all samples of its file that `split` does not choose. */
const countedOutside =
  (split) =>
  ({ set, card, gates: { float, ...gates } }) => ({
    set: `${set.split(',')[0]}, those not drawn`,
    card: withSplit(card, { except: split }),
    gates,
  })

/**
 * The network with the calibration samples of one draw.
 * @param {import('./networks.mjs').RealNetwork} network With `calibration`.
 * @param {number} draw One of DRAWS.
 * @returns {import('./networks.mjs').RealNetwork & { calibration: object }}
 */
export function drawn(network, draw) {
  const { calibration, evaluations } = network
  const { samples, split } = calibration
  if (samples.kind === 'glyphs')
    return {
      ...network,
      calibration: { ...calibration, samples: { ...samples, first: samples.first + draw * samples.count } },
    }
  if (samples.kind === 'idx') {
    const third = { every: 3, phase: draw - 1 }
    const [{ card }] = evaluations
    return {
      ...network,
      calibration: withSplit(card, third),
      evaluations: evaluations.map(countedOutside(third)),
    }
  }
  if ('first' in split)
    return {
      ...network,
      calibration: withSplit(calibration, { from: draw * split.first, to: (draw + 1) * split.first }),
    }
  const next = { ...split, phase: split.phase + draw }
  return { ...network, calibration: withSplit(calibration, next), evaluations: evaluations.map(countedOutside(next)) }
}

/** Which samples a draw chose, in words. @param {{ calibration: object }} network What `drawn` returns. */
export function describeDraw({ calibration: { name, samples, split } }) {
  if (split === undefined) return `${name}, ${samples.first}–${samples.first + samples.count - 1}`
  return 'from' in split ? `${name}, ${split.from}–${split.to - 1}` : `${name}, index % ${split.every} = ${split.phase}`
}
