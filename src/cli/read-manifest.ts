/**
 * The manifest of a program, read from the file without executing anything and checked field by field: it may come from
 * anybody. Fields that this version does not know are kept.
 */
import * as z from 'zod'
import { parseStrictJson } from '../data/strict-json.ts'
import { DyadicError, quoted } from '../error.ts'
import { MANIFEST_SECTION } from '../program/compile.ts'
import type { ProgramManifest } from '../program/manifest.ts'
import { decodeModule } from '../program/wasm/decode.ts'

/** Bytes of a manifest: those of the largest plan. */
const LARGEST_MANIFEST = 2 ** 28

const bytes = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const numbers = z.array(z.number()).min(1)

const ELEMENT_BYTES = { u8: 1, s8: 1, s16: 2, s32: 4 } as const

const portSchema = z
  .looseObject({
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
  .superRefine(({ name, shape, format, scale, zeroPoint, channelAxis, offset, count }, context) => {
    const size = ELEMENT_BYTES[format]
    const channels = scale.length === 1 ? 1 : shape[channelAxis]
    if (shape.reduce((product, axis) => product * axis, 1) !== count)
      context.addIssue(`port ${quoted(name)} has ${count} elements in shape [${shape}]`)
    if (scale.length !== zeroPoint.length || scale.length !== channels)
      context.addIssue(
        `port ${quoted(name)} has ${scale.length} scales and ${zeroPoint.length} zero points for axis ${channelAxis} of [${shape}]`,
      )
    if (offset % size !== 0)
      context.addIssue(`port ${quoted(name)} begins at byte ${offset}, between two elements of ${size} bytes`)
  })

const manifestSchema = z
  .looseObject({
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
  .superRefine(({ inputs, outputs, memory }, context) => {
    for (const [path, ports] of Object.entries({ inputs, outputs })) {
      const names = new Set<string>()
      ports.forEach(({ name, format, offset, count }, index) => {
        const end = offset + count * ELEMENT_BYTES[format]
        if (names.has(name))
          context.addIssue({ code: 'custom', path: [path, index], message: `port ${quoted(name)} stands twice` })
        if (end > memory.bytes)
          context.addIssue({
            code: 'custom',
            path: [path, index],
            message: `port ${quoted(name)} takes bytes ${offset} to ${end}; the memory has ${memory.bytes}`,
          })
        names.add(name)
      })
    }
  })

/** Throws `refused` when the module does not decode, has no manifest, or one with other fields; `limit` for one beyond 256 MiB. */
export function readManifest(module: Uint8Array): ProgramManifest {
  const sections = decodeModule(module).sections.filter(({ id, name }) => id === 0 && name === MANIFEST_SECTION)
  if (sections.length !== 1)
    throw new DyadicError(
      'refused',
      `not a dyadic program: the module has ${sections.length} sections ${quoted(MANIFEST_SECTION)}, one is needed`,
    )
  const [{ content, end }] = sections
  if (end - content > LARGEST_MANIFEST)
    throw new DyadicError('limit', `the manifest has ${end - content} bytes; at most ${LARGEST_MANIFEST} are read`)
  const json = parseStrictJson(module.subarray(content, end), 'the manifest')
  const result = manifestSchema.safeParse(json)
  if (result.success) return result.data as unknown as ProgramManifest
  const problems = result.error.issues.slice(0, 8).map(({ path, message }) => `${quoted(path.join('.'))}: ${message}`)
  throw new DyadicError('refused', `the manifest is not one of this version of dyadic: ${problems.join('; ')}`)
}
