/** The sliding window of a two-dimensional convolution or pooling node. */
import type { ResolvedWindow } from '../../graph/operators/window.ts'
import type { Layout } from './layout.ts'

export interface Window {
  readonly kernel: readonly [height: number, width: number]
  readonly strides: readonly [height: number, width: number]
  readonly dilations: readonly [height: number, width: number]
  readonly pads: readonly [top: number, left: number, bottom: number, right: number]
}

/** `undefined` when the window has not two spatial axes. */
export function planarWindow(window: ResolvedWindow): Window | undefined {
  return window.kernel.length === 2 ? (window as unknown as Window) : undefined
}

/** The window that sees a whole map at once. */
export function wholeWindow(layout: Layout): Window {
  return { kernel: [layout.h, layout.w], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
}
