/** How far one tensor is from another over many samples, in five sums: streaming, in doubles. */

export interface Agreement {
  /** 10·log10(Σ reference² / Σ (reference − candidate)²); Infinity where nothing differs. */
  readonly sqnrDb: number
  /** Cosine of the angle between the two, −1 … 1; 1 where both are zero, 0 where one is. */
  readonly cosine: number
}

/** Power of what is wrong over power of what is meant: 0 for no error, Infinity where nothing is meant. */
export function noiseRatio(noise: number, signal: number): number {
  return noise === 0 ? 0 : noise / signal
}

/** A noise ratio in decibels: Infinity for 0. */
export function decibels(ratio: number): number {
  return ratio === 0 ? Infinity : -10 * Math.log10(ratio)
}

export class ErrorSums {
  /** Σ reference², Σ (reference − candidate)². */
  signal = 0
  noise = 0
  private dot = 0
  private norm = 0

  /** Adds one sample: element i of the reference stands beside element i of the candidate. */
  add(reference: ArrayLike<number>, candidate: ArrayLike<number>): void {
    let [signal, noise, dot, norm] = [0, 0, 0, 0]
    for (let i = 0; i < reference.length; i++) {
      const [a, b] = [reference[i], candidate[i]]
      signal += a * a
      noise += (a - b) * (a - b)
      dot += a * b
      norm += b * b
    }
    this.addSums(signal, noise, dot, norm)
  }

  /** Adds one sample of an image: the reference lies in the order H, W, C, the candidate in the order C, H, W. */
  addImage(reference: ArrayLike<number>, candidate: ArrayLike<number>, channels: number): void {
    const pixels = reference.length / channels
    let [signal, noise, dot, norm] = [0, 0, 0, 0]
    for (let p = 0; p < pixels; p++)
      for (let c = 0; c < channels; c++) {
        const [a, b] = [reference[p * channels + c], candidate[c * pixels + p]]
        signal += a * a
        noise += (a - b) * (a - b)
        dot += a * b
        norm += b * b
      }
    this.addSums(signal, noise, dot, norm)
  }

  /** Adds what somebody else has summed. */
  addSums(signal: number, noise: number, dot: number, norm: number): void {
    this.signal += signal
    this.noise += noise
    this.dot += dot
    this.norm += norm
  }

  /** Noise over signal. */
  ratio(): number {
    return noiseRatio(this.noise, this.signal)
  }

  agreement(): Agreement {
    const { signal, dot, norm } = this
    const cosine = signal === 0 || norm === 0 ? Number(signal === norm) : dot / Math.sqrt(signal * norm)
    return { sqnrDb: decibels(this.ratio()), cosine: Math.max(-1, Math.min(1, cosine)) }
  }
}
