/** Recordings as signals in −1..1 at 16 kHz: WAV files and tar archives of them. */

/** Samples per second of everything that leaves this file. */
export const RATE = 16000

/**
 * A 16-bit mono PCM file of 8 or 16 kHz. Throws for every other file.
 * @param {Uint8Array} bytes
 * @param {string} where Names the file in messages.
 * @returns {Float64Array} At 16 kHz.
 */
export function readWav(bytes, where) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (at) => String.fromCharCode(...bytes.subarray(at, at + 4))
  const refuse = (what) => new Error(`${where}: ${what}; 16-bit mono PCM WAV of 8 or 16 kHz is read`)
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw refuse('it is no WAV file')
  let rate
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    if (tag(at) === 'fmt ') {
      const [format, channels, bits] = [8, 10, 22].map((offset) => view.getUint16(at + offset, true))
      rate = view.getUint32(at + 12, true)
      if (format !== 1 || channels !== 1 || bits !== 16 || ![RATE, RATE / 2].includes(rate))
        throw refuse(`it has format ${format}, ${channels} channels, ${bits} bits, ${rate} Hz`)
    }
    if (tag(at) === 'data') {
      if (rate === undefined) throw refuse('its samples come before their format')
      const count = Math.min(size, bytes.length - at - 8) >> 1
      const signal = Float64Array.from({ length: count }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768)
      return rate === RATE ? signal : doubleRate(signal)
    }
    at += 8 + size + (size & 1)
  }
  throw refuse('it has no samples')
}

/** Samples on each side of a new one that it is made from. */
const REACH = 32

/**
 * Twice the rate: every old sample stays, and between two of them stands Σ x[i] sinc(d) cos²(πd / 2(REACH + ½)), d the
 * distance in old samples, |d| ≤ REACH − ½.
 * @param {Float64Array} signal
 */
export function doubleRate(signal) {
  const taps = Float64Array.from({ length: REACH }, (_, i) => {
    const angle = Math.PI * (i + 0.5)
    return (Math.sin(angle) / angle) * Math.cos(angle / (2 * (REACH + 0.5))) ** 2
  })
  const result = new Float64Array(2 * signal.length)
  signal.forEach((value, at) => {
    result[2 * at] = value
    result[2 * at + 1] = taps.reduce(
      (sum, tap, i) => sum + tap * ((signal[at - i] ?? 0) + (signal[at + 1 + i] ?? 0)),
      0,
    )
  })
  return result
}

/** One signal after another. @param {readonly Float64Array[]} signals */
export function joined(signals) {
  const result = new Float64Array(signals.reduce((length, signal) => length + signal.length, 0))
  let at = 0
  for (const signal of signals) {
    result.set(signal, at)
    at += signal.length
  }
  return result
}
