import type { GraphDescription } from '../../src/index.ts'

export interface Checkpoint {
  readonly sizes: Readonly<
    Record<'dimension' | 'hidden' | 'layers' | 'heads' | 'keyHeads' | 'vocabulary' | 'context' | 'head', number>
  >
}

export function readCheckpoint(bytes: Uint8Array): Checkpoint
export function fullGraph(checkpoint: Checkpoint, length: number): GraphDescription
export function stepGraph(checkpoint: Checkpoint, length: number): GraphDescription
