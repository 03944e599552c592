export interface Clips {
  readonly file: string
  readonly speaker?: string
  readonly seconds: readonly number[]
}

export interface ClipSet {
  readonly name: string
  readonly features: 'speech-quality' | 'machine-sound'
  readonly clips: readonly Clips[]
}

export interface NaturalNetwork {
  readonly model: string
  readonly data: string
  readonly set: string
  readonly calibration: ClipSet | Readonly<Record<string, unknown>>
  readonly test: ClipSet | Readonly<Record<string, unknown>>
  readonly boxes?: { readonly decoder: 'yolox' | 'ultraFace' | 'yuNet' | 'palm'; readonly score: number }
  readonly gates: { readonly sqnrDb: number; readonly overlap?: number }
}

export const naturalNetworks: readonly NaturalNetwork[]
