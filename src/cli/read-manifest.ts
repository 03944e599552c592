/**
 * The manifest of a program, read from the file without executing anything and checked field by field: it may come from
 * anybody. Fields that this version does not know are kept.
 */
import * as z from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { MANIFEST_SECTION } from '../program/compile.ts'
import type { ProgramManifest } from '../program/manifest.ts'
import { decodeModule } from '../program/wasm/decode.ts'

const bytes = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const numbers = z.array(z.number()).min(1)

const portSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().min(1)),
  format: z.enum(['u8', 's8', 's16', 's32']),
  scale: numbers,
  zeroPoint: numbers,
  channelAxis: z.int().min(0),
  layout: z.literal('nhwc').optional(),
  offset: bytes,
  count: z.int().min(1),
})

const manifestSchema = z.looseObject({
  schema: z.literal(1),
  name: z.string(),
  dyadic: z.string(),
  inputs: z.array(portSchema),
  outputs: z.array(portSchema),
  memory: z.looseObject({ bytes, constantBytes: bytes, arenaBytes: bytes, weightBytes: bytes }),
  plan: hash,
  // More samples than that are nobody's self-test; they would only keep the reader waiting.
  selfTest: z.looseObject({ seed: z.int(), samples: z.int().min(1).max(1000), sha256: hash }),
  certificate: z.looseObject({ integerGraph: hash, largestAccumulator: z.number(), headroomBits: z.int() }),
})

/** Throws `refused` when the module does not decode, has no manifest, or one with other fields. */
export function readManifest(module: Uint8Array): ProgramManifest {
  const sections = decodeModule(module).sections.filter(({ id, name }) => id === 0 && name === MANIFEST_SECTION)
  if (sections.length !== 1)
    throw new DyadicError(
      'refused',
      `not a dyadic program: the module has ${sections.length} sections ${quoted(MANIFEST_SECTION)}, one is needed`,
    )
  const [{ content, end }] = sections
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(module.subarray(content, end)))
  } catch (cause) {
    throw new DyadicError('refused', 'the manifest is not JSON', { cause })
  }
  const result = manifestSchema.safeParse(json)
  if (result.success) return result.data as unknown as ProgramManifest
  const problems = result.error.issues.slice(0, 8).map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new DyadicError('refused', `the manifest is not one of this version of dyadic: ${problems.join('; ')}`)
}
