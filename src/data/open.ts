/**
 * From a data card to a data set: opens the samples, checks labels and constants, applies the split. The stored order is
 * deterministic (names by code point, records by position). Nothing is cached beyond the bytes of single-file sets.
 */
import { DyadicError, quoted } from '../error.ts'
import type { DataCard } from './card.ts'
import type { DataSet } from './data-set.ts'
import type { ImageDecoder } from './image-decoder.ts'
import { inputMap } from './input-map.ts'
import { readLabels } from './labels.ts'
import type { NestedFileAccess, SampleContext, SampleSource } from './sample-kind.ts'
import { SAMPLE_KINDS } from './sample-kinds.ts'
import { splitIndices } from './split.ts'
import { subset } from './subset.ts'

/** What a data card is opened with; `folder` is the card's own folder. */
export interface DataSetAccess {
  readonly files: NestedFileAccess
  /** Needed for kind `images` only. */
  readonly decodeImage?: ImageDecoder
  readonly folder: string
}

/**
 * Opens a data card. Throws `refused` for files, labels, constants or a split that do not fit each other, and `usage`
 * when pictures are asked for without a decoder. `read` of the set throws `refused` for a sample that cannot be read.
 */
export async function openDataSet(card: DataCard, access: DataSetAccess): Promise<DataSet> {
  const source = await openSamples(card, {
    files: access.files,
    decodeImage: access.decodeImage,
    folder: access.folder,
    image: card.image,
    nested: card.labels?.kind === 'folders',
  })
  const name = card.name ?? sourceName(card)
  const complain = (what: string) => new DyadicError('refused', `data set ${quoted(name)}: ${what}`)
  if (source.length === 0) throw complain('it has no samples')
  if (source.channelAxis > 0 && source.channelAxis >= source.shape.length)
    throw complain(`channel axis ${source.channelAxis} is none of shape [${source.shape}]`)
  if (source.elementType === 'float32' && card.input !== undefined)
    throw complain('float samples are the real input already; remove "input" from the card')
  const labels = await readLabels(card.labels, source, access)
  const map =
    card.input === undefined && source.input !== undefined
      ? source.input
      : inputMap(card.input, source.shape[source.channelAxis] ?? 1)
  const whole: DataSet = {
    name,
    length: source.length,
    elementType: source.elementType,
    shape: source.shape,
    channelAxis: source.channelAxis,
    scale: map.scale,
    offset: map.offset,
    label: (index) => labels?.[index],
    ...(source.answers && { answers: source.answers }),
    read: (index) => source.read(index),
    describe: (index) => source.describe(index),
  }
  return subset(whole, splitIndices(card.split, whole.length))
}

/** Finds the kind by name; the schema has made sure that it exists and that the samples are of its type. */
function openSamples(card: DataCard, context: SampleContext): Promise<SampleSource> {
  const kind = SAMPLE_KINDS.find((candidate) => candidate.kind === card.samples.kind)
  if (kind === undefined)
    throw new DyadicError('usage', `no samples of kind ${quoted(card.samples.kind)}; parse the card`)
  const open = kind.open as (samples: DataCard['samples'], context: SampleContext) => Promise<SampleSource>
  return open(card.samples, context)
}

function sourceName({ samples }: DataCard): string {
  if ('tar' in samples && samples.tar !== undefined) return samples.tar
  if ('folder' in samples && samples.folder !== undefined) return samples.folder
  if ('file' in samples && samples.file !== undefined) return samples.file
  return 'files' in samples ? samples.files.join(' ') : samples.kind
}
