import type { Segment } from './segments.d.mts'

export function textPlot(probabilities: readonly number[], seconds: number, width: number): string
export function svgPlot(probabilities: readonly number[], segments: readonly Segment[], seconds: number): string
