export interface Detections {
  readonly scores: Float64Array
  readonly boxes: readonly Float64Array[]
}

export type Decoder = (outputs: ReadonlyMap<string, Float32Array>) => Detections

export const decoders: Readonly<Record<'yolox' | 'ultraFace' | 'yuNet' | 'palm', Decoder>>
export function bestAnchors(scores: ArrayLike<number> & Iterable<number>, count: number): number[]
export function overlap(a: ArrayLike<number>, b: ArrayLike<number>): number
