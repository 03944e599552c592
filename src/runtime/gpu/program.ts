/**
 * The GPU program as a value: what a `.gpu` file holds. A file is the eight bytes `dyadicGP`, the header's length in bytes
 * as a little-endian 32-bit integer, the header (JSON in ASCII), zeros up to a multiple of 16, and the constants.
 */
import type { Manifest, PortFormat } from '../network.ts'

/** `plain` runs everywhere, `dot4` needs packed_4x8_integer_dot_product, `matrix` subgroup matrices of 16 × 16 × 32 bytes. */
export type GpuLevel = 'plain' | 'dot4' | 'matrix'

/** Fixed WGSL with the bindings 0 arena, 1 constants, 2 words of the dispatch (uniform). */
export interface GpuShader {
  readonly name: string
  readonly level: GpuLevel
  /** Dispatches of these families may use it; all shaders of a family give the same bytes. */
  readonly families: readonly string[]
  /** What one workgroup does along x, y, z. */
  readonly tile: readonly [number, number, number]
  readonly workgroupBytes: number
  readonly threads: number
  /** Overrides of the pipeline by name: the index of the dispatch's word that gives the value. */
  readonly overrides: Readonly<Record<string, number>>
  readonly code: string
}

export interface GpuDispatch {
  readonly family: string
  /** Name of the instruction, for people. */
  readonly name: string
  /** The first `scaled` of them are multiplied by the batch: addresses in words of the arena, counts of rows. */
  readonly words: readonly number[]
  readonly scaled: number
  /** Work of one image; the axis that a batch multiplies. Where that is z, x may go on in y. */
  readonly extent: readonly [number, number, number]
  readonly batchAxis: 1 | 2
  /** Of a product of matrices: how many products each result sums. */
  readonly depth?: number
}

/** A port in the arena: `offset` counts bytes of a batch of one, images are `imageBytes` apart. */
export interface GpuPort {
  readonly name: string
  readonly shape: readonly number[]
  readonly format: PortFormat
  /** Integers that an input may hold, where they are fewer than the format's. */
  readonly range?: { readonly low: number; readonly high: number }
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  readonly channelAxis: number
  readonly offset: number
  readonly count: number
  readonly imageBytes: number
}

/** Bytes of the constants that are copied into the arena once per image before the first run. */
export interface GpuInitialTensor {
  /** Byte offset in the arena of a batch of one. */
  readonly offset: number
  readonly constants: number
  readonly bytes: number
}

/** A small product with a known answer, by which shaders of a family are tested before they are used. Has an arena of its own. */
export interface GpuProbe {
  readonly family: string
  readonly dispatches: readonly GpuDispatch[]
  readonly initial: readonly GpuInitialTensor[]
  readonly arenaBytes: number
  /** Where in the program's constants the probe's lie; everything else counts from there. */
  readonly constants: { readonly at: number; readonly bytes: number }
  /** Byte offsets of the answer in the arena, and of the right one in the probe's constants. */
  readonly output: { readonly offset: number; readonly constants: number; readonly bytes: number }
}

export interface GpuHeader extends Manifest {
  readonly inputs: readonly GpuPort[]
  readonly outputs: readonly GpuPort[]
  /** Bytes for a batch of one. */
  readonly arenaBytes: number
  readonly constantBytes: number
  readonly shaders: readonly GpuShader[]
  readonly dispatches: readonly GpuDispatch[]
  readonly initial: readonly GpuInitialTensor[]
  readonly probes: readonly GpuProbe[]
}

export interface GpuProgram {
  readonly header: GpuHeader
  readonly constants: Uint8Array
}

export const MAGIC = 'dyadicGP'
/** Bytes before the header. */
export const PREFIX = 12

/** Where the constants begin. */
export function constantsStart(headerBytes: number): number {
  return Math.ceil((PREFIX + headerBytes) / 16) * 16
}

/** Bytes of a `.gpu` file. */
export function writeGpuProgram({ header, constants }: GpuProgram): Uint8Array {
  const text = JSON.stringify(header).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const start = constantsStart(text.length)
  const file = new Uint8Array(start + constants.length)
  for (let i = 0; i < MAGIC.length; i++) file[i] = MAGIC.charCodeAt(i)
  new DataView(file.buffer).setUint32(MAGIC.length, text.length, true)
  for (let i = 0; i < text.length; i++) file[PREFIX + i] = text.charCodeAt(i)
  file.set(constants, start)
  return file
}
