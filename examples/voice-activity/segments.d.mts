export interface Segment {
  readonly from: number
  readonly to: number
}

export function speechSegments(probabilities: readonly number[], seconds: number): Segment[]
