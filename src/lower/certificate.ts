/**
 * The certificate: what was proven about an integer graph, in a form that a reader can check against the numbers of the
 * program. One row per instruction with arithmetic, with the interval of every step.
 */
import type { Interval } from '../num/interval.ts'
import type { IntegerGraph } from './integer-graph.ts'
import { hashText, printIntegerGraph } from './print.ts'

export interface CertificateRow {
  readonly name: string
  readonly kind: string
  /** [low, high] of every partial sum, of the biased sum, of the requantised value, and of the stored codes. */
  readonly accumulator: readonly [number, number]
  readonly biased: readonly [number, number]
  readonly requantised: readonly [number, number]
  readonly stored: readonly [number, number]
}

export interface Certificate {
  /** SHA-256 of the integer graph's canonical text. */
  readonly integerGraph: string
  /** Largest magnitude any accumulator with its bias can reach, and the bits left below 2^31. */
  readonly largestAccumulator: number
  readonly headroomBits: number
  readonly rows: readonly CertificateRow[]
}

/** The certificate of a lowered graph; every interval in it was proven while lowering. */
export function certify(graph: IntegerGraph): Certificate {
  const pair = ({ low, high }: Interval): [number, number] => [low, high]
  const rows: CertificateRow[] = []
  let largest = 1
  for (const instruction of graph.instructions) {
    if (!('bounds' in instruction)) continue
    const { bounds, output } = instruction
    // Additions and rescalings choose their multipliers so as to fill int32: they say nothing about room.
    if (instruction.kind !== 'add' && instruction.kind !== 'rescale')
      for (const { low, high } of [bounds.accumulator, bounds.biased]) largest = Math.max(largest, -low, high)
    rows.push({
      name: instruction.name,
      kind: instruction.kind,
      accumulator: pair(bounds.accumulator),
      biased: pair(bounds.biased),
      requantised: pair(bounds.requantised),
      stored: pair(output.range),
    })
  }
  return {
    integerGraph: hashText(printIntegerGraph(graph)),
    largestAccumulator: largest,
    headroomBits: Math.clz32(Math.max(largest, 1) - 1) - 1,
    rows,
  }
}
