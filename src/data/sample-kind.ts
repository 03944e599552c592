/**
 * What a kind of samples is: a record with the schema of its part of the data card and the function that opens it.
 * The list of all kinds is `SAMPLE_KINDS` in sample-kinds.ts; a new kind is one record there and nothing else.
 */
import type { z } from 'zod'
import type { FileAccess } from './data-set.ts'
import type { ImageDecoder } from './image-decoder.ts'
import type { ImageSettings } from './preprocess.ts'

/** File access that also sees the folders of a folder; only label kind `folders` on a folder of pictures needs that. */
export interface NestedFileAccess extends FileAccess {
  /** Names (not paths) of the folders in a folder, sorted by code point. Throws `refused` naming the path. */
  listFolders?(folder: string): Promise<string[]>
}

/** What a kind may use to open its samples. */
export interface SampleContext {
  readonly files: NestedFileAccess
  readonly decodeImage: ImageDecoder | undefined
  /** The folder of the data card, which its relative paths start from. */
  readonly folder: string
  /** The card's `image` part. */
  readonly image: ImageSettings | undefined
  /** Whether samples may lie one folder deeper, because their folder is their label. */
  readonly nested: boolean
}

/** Opened samples in stored order, before labels and split. */
export interface SampleSource {
  /** Number of samples; zero is refused by the caller. */
  readonly length: number
  readonly elementType: 'uint8' | 'int8' | 'float32'
  /** Shape of one sample, without the batch axis. */
  readonly shape: readonly number[]
  /** Axis of `shape` that per-channel scales run along. */
  readonly channelAxis: number
  /** Names by which a label file refers to the samples; without them it must list the samples in order. */
  readonly names?: readonly string[]
  /** The label stored with a sample, where the format has one. */
  storedLabel?(index: number): number
  /** As in a data set, where samples have an answer at every position instead of a label. */
  answers?(index: number): Int32Array
  /** The map to real input that the samples come with; a card without `input` uses it. */
  readonly input?: { readonly scale: readonly number[]; readonly offset: readonly number[] }
  read(index: number): Promise<Uint8Array | Int8Array | Float32Array>
  describe(index: number): string
}

/** One kind of samples; `kind` is the value of the card's `samples.kind`. */
export interface SampleKind<Schema extends z.ZodType> {
  readonly kind: string
  /** Strict object schema whose `kind` is the literal above. */
  readonly schema: Schema
  open(samples: z.output<Schema>, context: SampleContext): Promise<SampleSource>
}

/** Ties the type of a kind's `open` to its schema. */
export function sampleKind<Schema extends z.ZodType>(kind: SampleKind<Schema>): SampleKind<Schema> {
  return kind
}
