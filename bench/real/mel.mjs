/**
 * Mel spectrograms in doubles, as networks for sound are trained on them: the definitions of librosa's `melspectrogram` with
 * its defaults (McFee et al., 2015).
 *
 * - Frame t holds the signal from t × hop − ⌊length / 2⌋ on, zeros outside, times w[n] = (1 − cos(2πn / length)) / 2.
 * - Power of bin k is |Σ x[n] e^(−2πikn / length)|², k = 0 … ⌊length / 2⌋, by the sum itself: lengths need not be powers of two.
 * - Mel scale (Slaney, 1998): 3 f / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 from there. A band is a triangle over
 *   three neighbours of bands + 2 equal mel steps from 0 to rate / 2, its height 2 / (its width in Hz).
 */

const HERTZ_PER_MEL = 200 / 3
const BEND_HERTZ = 1000
const BEND_MEL = BEND_HERTZ / HERTZ_PER_MEL
const LOG_STEP = Math.log(6.4) / 27

const toMel = (hertz) =>
  hertz < BEND_HERTZ ? hertz / HERTZ_PER_MEL : BEND_MEL + Math.log(hertz / BEND_HERTZ) / LOG_STEP
const toHertz = (mel) => (mel < BEND_MEL ? mel * HERTZ_PER_MEL : BEND_HERTZ * Math.exp(LOG_STEP * (mel - BEND_MEL)))

/**
 * @typedef {{ rate: number, length: number, hop: number, bands: number }} MelSettings Samples per second, of a frame, from
 *   frame to frame; mel bands.
 */

/**
 * Makes the function from a signal to its mel powers, one row of `bands` for each of the 1 + ⌊(n + 2⌊length / 2⌋ − length) /
 * hop⌋ frames.
 * @param {MelSettings} settings
 * @returns {(signal: Float64Array) => Float64Array[]}
 */
export function createMelSpectrogram({ rate, length, hop, bands }) {
  const bins = Math.floor(length / 2) + 1
  const [cosines, sines] = waves(length, bins)
  const triangles = melBands(rate, length, bins, bands)
  const margin = Math.floor(length / 2)
  const frame = new Float64Array(length)
  const power = new Float64Array(bins)
  return (signal) => {
    const frames = 1 + Math.floor((signal.length + 2 * margin - length) / hop)
    return Array.from({ length: frames }, (_, t) => {
      for (let n = 0; n < length; n++) frame[n] = signal[t * hop - margin + n] ?? 0
      for (let k = 0, at = 0; k < bins; k++) {
        let real = 0
        let imaginary = 0
        for (let n = 0; n < length; n++, at++) {
          real += frame[n] * cosines[at]
          imaginary += frame[n] * sines[at]
        }
        power[k] = real * real + imaginary * imaginary
      }
      return Float64Array.from(triangles, (weights) => weights.reduce((sum, weight, k) => sum + weight * power[k], 0))
    })
  }
}

/** Windowed cosines and sines, row k for bin k. */
function waves(length, bins) {
  const cosines = new Float64Array(bins * length)
  const sines = new Float64Array(bins * length)
  for (let k = 0; k < bins; k++)
    for (let n = 0; n < length; n++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length)
      // The remainder keeps the angle small, and with it exact.
      const angle = (2 * Math.PI * ((k * n) % length)) / length
      cosines[k * length + n] = window * Math.cos(angle)
      sines[k * length + n] = window * Math.sin(angle)
    }
  return [cosines, sines]
}

function melBands(rate, length, bins, bands) {
  const step = toMel(rate / 2) / (bands + 1)
  const corners = Array.from({ length: bands + 2 }, (_, i) => toHertz(i * step))
  return Array.from({ length: bands }, (_, band) => {
    const [from, peak, to] = corners.slice(band, band + 3)
    return Float64Array.from({ length: bins }, (_, k) => {
      const hertz = (k * rate) / length
      const height = Math.min((hertz - from) / (peak - from), (to - hertz) / (to - peak))
      return (Math.max(0, height) * 2) / (to - from)
    })
  })
}
