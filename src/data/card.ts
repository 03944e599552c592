/**
 * The data card: one JSON file that says which files hold the samples, how they become the network's input, what their
 * labels are and which of them are meant. Unknown keys are refused; every complaint carries its JSON path.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { inputSchema } from './input-map.ts'
import { labelsSchema } from './labels.ts'
import { imageSettingsSchema } from './preprocess.ts'
import { SAMPLE_KINDS } from './sample-kinds.ts'
import { splitSchema } from './split.ts'

type SampleSchemas<Kinds extends readonly { schema: unknown }[]> = {
  -readonly [Index in keyof Kinds]: Kinds[Index]['schema']
}

const samplesSchema = z.discriminatedUnion(
  'kind',
  SAMPLE_KINDS.map(({ schema }) => schema) as SampleSchemas<typeof SAMPLE_KINDS>,
)

const cardSchema = z
  .strictObject({
    schema: z.literal(1),
    name: z.string().min(1).max(120).optional(),
    samples: samplesSchema,
    labels: labelsSchema.optional(),
    image: imageSettingsSchema.optional(),
    input: inputSchema.optional(),
    split: splitSchema.optional(),
  })
  .superRefine(({ samples, image, labels }, context) => {
    if (samples.kind === 'tokens' && labels !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['labels'],
        message: 'the answers of tokens are the tokens that follow',
      })
    if (samples.kind === 'images' && image === undefined)
      context.addIssue({ code: 'custom', path: ['image'], message: 'pictures need it' })
    if (samples.kind !== 'images' && image !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['image'],
        message: `samples of kind "${samples.kind}" have no use for it`,
      })
  })

/** A checked data card; file names in it are relative to the card's folder. */
export type DataCard = z.output<typeof cardSchema>

/** Checks parsed JSON. Throws `refused` naming `where`, with every complaint and its JSON path. */
export function parseDataCard(json: unknown, where: string): DataCard {
  const result = cardSchema.safeParse(json)
  if (result.success) return result.data
  const complaints = result.error.issues.flatMap((issue) => explain(issue, []))
  throw new DyadicError('refused', `data card ${quoted(where)}: ${complaints.join('; ')}`)
}

/** The JSON Schema (draft 2020-12) of data cards, for editors; rules across keys are only in {@link parseDataCard}. */
export function dataCardJsonSchema(): object {
  return z.toJSONSchema(cardSchema, { io: 'input' })
}

type Issue = z.core.$ZodIssue

/** A union's complaint is that of the branch the author most likely meant: the one with the fewest unknown keys. */
function explain(issue: Issue, above: readonly PropertyKey[]): string[] {
  const path = [...above, ...issue.path]
  const at = path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), '$')
  if (issue.code === 'unrecognized_keys')
    return [`${at}: unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map(quoted).join(', ')}`]
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const unknownKeys = (issues: readonly Issue[]) =>
      issues.reduce(
        (count, { code, ...rest }) =>
          count + (code === 'unrecognized_keys' && 'keys' in rest ? 1000 * rest.keys.length : 1),
        0,
      )
    const [likeliest] = [...issue.errors].sort((a, b) => unknownKeys(a) - unknownKeys(b))
    return likeliest!.flatMap((inner) => explain(inner, path))
  }
  if (issue.code === 'invalid_union' && issue.discriminator === 'kind' && path[0] === 'samples')
    return [`${at}: must be one of ${SAMPLE_KINDS.map(({ kind }) => quoted(kind)).join(', ')}`]
  return [`${at}: ${issue.message}`]
}
