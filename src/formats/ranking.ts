/** Which format holds a tensor best: the signal-to-quantisation-noise ratio of each, with the best scale for it. */

import { bitsPerElement, decodeBlocks, encodeBlocks } from './blocks.ts'
import { allocateCodes, type ConversionLosses, conversionLosses, encodeArray, quantizeArray } from './bulk.ts'
import type { Format } from './catalogue.ts'
import { largestMagnitude, scaleFor, searchScale } from './scale.ts'

/** How well a format holds a tensor. */
export interface FormatScore {
  readonly name: string
  /** Bits per element with its share of the scales. */
  readonly bits: number
  /** How the scale was found: by the largest magnitude, by the search of `searchScale`, or by the block format's own rule. */
  readonly scaling: 'largest magnitude' | 'search' | 'own rule'
  /** Of the whole tensor; 1 for block formats, which have one per block. */
  readonly scale: number
  /** 10·log10(Σx² / Σ(x − x̂)²) in dB; Infinity for no error, NaN for a tensor of zeros. */
  readonly sqnr: number
  /** That with the scale by the largest magnitude. */
  readonly sqnrAtLargest: number
  readonly losses: ConversionLosses | undefined
}

/** Signal-to-quantisation-noise ratio in dB. */
export function signalToNoise(values: ArrayLike<number>, rounded: ArrayLike<number>): number {
  let signal = 0
  let noise = 0
  for (let i = 0; i < values.length; i++) {
    signal += values[i]! ** 2
    noise += (values[i]! - rounded[i]!) ** 2
  }
  return signal === 0 ? Number.NaN : 10 * Math.log10(signal / noise)
}

/**
 * Scores of formats on a tensor, the best first; equal ones keep their order. Element formats get one scale for the tensor: the
 * better of the largest magnitude and a search. Throws `refused` for NaN and ∞ in the tensor.
 */
export function rankFormats(formats: readonly Format[], values: Float32Array | Float64Array): FormatScore[] {
  const most = largestMagnitude(values, 'the tensor')
  const scores = formats.map((format): FormatScore => {
    if (format.kind === 'block') {
      const sqnr = signalToNoise(values, decodeBlocks(encodeBlocks(format, values)))
      return {
        ...{ name: format.name, bits: bitsPerElement(format), scaling: 'own rule', scale: 1 },
        ...{ sqnr, sqnrAtLargest: sqnr, losses: undefined },
      }
    }
    const [plain, searched] = [scaleFor(format, most), searchScale(format, values)]
    const atLargest = signalToNoise(values, quantizeArray(format, values, { scale: plain }))
    const atSearched = signalToNoise(values, quantizeArray(format, values, { scale: searched }))
    const better = atSearched > atLargest
    const scale = better ? searched : plain
    const codes = encodeArray(format, values, { scale }, allocateCodes(format, values.length))
    return {
      ...{ name: format.name, bits: format.bits, scaling: better ? 'search' : 'largest magnitude', scale },
      ...{ sqnr: better ? atSearched : atLargest, sqnrAtLargest: atLargest },
      losses: conversionLosses(format, values, codes, scale),
    }
  })
  return scores.sort((a, b) => b.sqnr - a.sqnr || 0)
}
