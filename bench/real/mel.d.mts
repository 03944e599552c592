export interface MelSettings {
  readonly rate: number
  readonly length: number
  readonly hop: number
  readonly bands: number
}

export function createMelSpectrogram(settings: MelSettings): (signal: Float64Array) => Float64Array[]
