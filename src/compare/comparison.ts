/** What a comparison finds, as records: the command prints them, the report draws them. */
import type { Histogram } from '../quantize/histogram.ts'
import type { TensorPlan } from '../quantize/plan.ts'
import type { Agreement } from './error-sums.ts'
import type { Trial } from './trials.ts'

/** The weights of one layer. */
export interface WeightLoss {
  readonly format: string
  readonly count: number
  /** Smallest and largest scale of its output channels. */
  readonly steps: { readonly low: number; readonly high: number }
  /** How well the plan's weights stand for the float ones. */
  readonly sqnrDb: number
  readonly histogram: Histogram
}

/** The loss of one stored value. */
export interface ValueLoss {
  readonly name: string
  /** `input` for a network input. */
  readonly operator: string
  /** In ONNX order, with the batch axis. */
  readonly shape: readonly number[]
  /** Place in the order in which values are computed, from 0. */
  readonly position: number
  /** Format of the value: its own, or that of the value it moves. */
  readonly format: string
  /** The plan's entry; undefined where the value keeps another's numbers. */
  readonly entry: TensorPlan | undefined
  /** The program against the float network. */
  readonly accumulated: Agreement
  /** The worst of the values it was computed from; Infinity for a network input. */
  readonly inheritedDb: number
  /** Noise over signal that this value has beyond what it inherits: the order of the list. */
  readonly addedNoise: number
  /** Only this value quantised; undefined where nothing of its own is. */
  readonly local: Agreement | undefined
  /** The grid's reach and the extremes of the float network. */
  readonly reach: { readonly low: number; readonly high: number } | undefined
  readonly extremes: { readonly low: number; readonly high: number }
  /** Share of the float network's elements beyond the grid, 0 … 1. */
  readonly clipped: number
  readonly histogram: Histogram
  readonly weights: WeightLoss | undefined
  /**
   * What most of the value's noise comes from: its weights, its range, the rounding to its grid, or its inputs, beside whose
   * noise its own does not count; undefined where there is none.
   */
  readonly cause: 'weights' | 'range' | 'rounding' | 'inputs' | undefined
  /** Everything that was tried, in the order of `trialKinds`. */
  readonly trials: readonly Trial[]
  /** The trial to recommend. */
  readonly action: Trial | undefined
  /** The accumulated SQNR to expect with it, if the value's own noise is independent of what it inherits. */
  readonly expectedDb: number | undefined
}

/** What is known about the program without running it. */
export interface ProgramFacts {
  /** SHA-256 of the plan's text, and what the plan says about itself. */
  readonly plan: string
  readonly origin: Readonly<Record<string, unknown>>
  /** SHA-256 of the integer graph: what is certified. */
  readonly integerGraph: string
  readonly largestAccumulator: number
  readonly headroomBits: number
  readonly weightBytes: number
  readonly constantBytes: number
  readonly arenaBytes: number
  readonly memoryBytes: number
}

export interface Comparison {
  readonly network: string
  readonly data: string
  readonly samples: number
  /** Network outputs, each by the stored value that holds it. */
  readonly outputs: readonly { readonly name: string; readonly accumulated: Agreement }[]
  /** Worst first: by the noise that is added where the value is made. */
  readonly values: readonly ValueLoss[]
  readonly program: ProgramFacts
}
