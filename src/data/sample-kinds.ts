/** The list of all kinds of samples that a data card can name. */
import { z } from 'zod'
import { cifarKind } from './cifar.ts'
import { openGlyphs } from './glyphs.ts'
import { idxKind } from './idx.ts'
import { imagesKind } from './images.ts'
import { npyKind } from './npy-samples.ts'
import { rawKind } from './raw.ts'
import { sampleKind } from './sample-kind.ts'
import { tokensKind } from './tokens.ts'

/** `{"kind": "glyphs", "seed": 1, "first": 0, "count": 1000}`: drawn pictures with labels, no files. */
const glyphsKind = sampleKind({
  kind: 'glyphs',
  schema: z.strictObject({
    kind: z.literal('glyphs'),
    seed: z.int().min(0),
    first: z.int().min(0),
    count: z
      .int()
      .min(1)
      .max(2 ** 31),
  }),
  async open(options) {
    const set = openGlyphs(options)
    return {
      length: set.length,
      elementType: set.elementType,
      shape: set.shape,
      channelAxis: set.channelAxis,
      input: { scale: set.scale, offset: set.offset },
      storedLabel: (index) => set.label(index) as number,
      describe: (index) => set.describe(index),
      read: (index) => set.read(index),
    }
  },
})

/** Every kind; the card's schema and `openDataSet` read this list and know no kind by name. */
export const SAMPLE_KINDS = [imagesKind, cifarKind, idxKind, npyKind, rawKind, tokensKind, glyphsKind] as const
