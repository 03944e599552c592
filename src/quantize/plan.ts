/**
 * The plan: every decision about numbers, as one readable JSON file that can be edited and fed back. It names values by
 * their ONNX names (of the last operator of a fused group) and layers by their output value.
 */
import * as z from 'zod'
import { DyadicError } from '../error.ts'

/**
 * Formats of stored activations: 4 to 8 bits are stored in bytes, 16 bits in words; 32 bits are for network outputs that
 * stay wide.
 */
export const activationFormats = ['u4', 's4', 'u8', 's8', 's16', 's32'] as const
export type ActivationFormat = (typeof activationFormats)[number]
/** Formats of weights. `u8` carries a zero point; the others are symmetric. Only `s16` takes more than a byte. */
export const weightFormats = ['s16', 's8', 's7', 's6', 's5', 's4', 's3', 's2', 'u8'] as const
export type WeightFormat = (typeof weightFormats)[number]

const positive = z.number().positive().finite()
const base64 = z.base64()
const names = z.string().min(1).max(1024)

const inputSchema = z
  .strictObject({
    /** Integers the caller hands over; `s32` are indices of a table, with scale 1 and zero point 0. */
    format: z.enum(['u8', 's8', 's16', 's32']),
    /** Real value = scale[c] × (integer − zeroPoint[c]); one entry, or one per channel. Zero points may be fractions. */
    scale: z.array(positive).min(1),
    zeroPoint: z.array(z.number().finite()).min(1),
    /** Order of the integers the caller hands over; the network's shape is given in ONNX order either way. */
    layout: z.enum(['nchw', 'nhwc']).default('nchw'),
  })
  .superRefine(({ format, scale, zeroPoint }, context) => {
    if (format === 's32' && (scale.length !== 1 || scale[0] !== 1 || zeroPoint.length !== 1 || zeroPoint[0] !== 0))
      context.addIssue({ code: 'custom', path: ['scale'], message: 's32 inputs have scale [1] and zeroPoint [0]' })
  })

/** A zero point is a code of its own format: zero is then exact, and code − zero point fits int16. */
function outside(format: ActivationFormat | WeightFormat, zeroPoints: readonly number[]): string | undefined {
  const { low, high } = formatRange(format)
  const wrong = zeroPoints.find((point) => point < low || point > high)
  return wrong === undefined ? undefined : `zero point ${wrong} is outside ${format}, [${low}, ${high}]`
}

const tensorSchema = z
  .strictObject({
    format: z.enum(activationFormats),
    /** Real value = scale × (integer − zeroPoint), times the channel's entry of `channelScales` where that is given. */
    scale: positive,
    zeroPoint: z.int(),
    /** One per channel: only between convolutions and dense layers, which fold them into multipliers and weights. */
    channelScales: z.array(positive).min(1).optional(),
  })
  .superRefine((entry, context) => {
    const message = outside(entry.format, [entry.zeroPoint])
    if (message) context.addIssue({ code: 'custom', path: ['zeroPoint'], message })
  })

const weightSchema = z
  .strictObject({
    format: z.enum(weightFormats),
    /** One per output channel, or one for all. */
    scale: z.array(positive).min(1),
    zeroPoint: z.array(z.int()).min(1),
    /**
     * Codes in place of the nearest ones: bytes in base64 (u8 codes as they are, s16 codes as two bytes, the low one first),
     * in the order of the ONNX weights.
     */
    codes: base64.optional(),
    /**
     * Groups of `size` consecutive weights of an output channel, in stored order (kernel rows, kernel columns, input
     * channels): each has an integer factor 1…255 beside the channel's scale. Bytes in base64, [output][group].
     */
    groups: z.strictObject({ size: z.int().min(2), factors: base64 }).optional(),
  })
  .superRefine((entry, context) => {
    const message = outside(entry.format, entry.zeroPoint)
    if (message) context.addIssue({ code: 'custom', path: ['zeroPoint'], message })
  })

/** How softmax, normalisation and GELU compute: dyadic's own way, I-ViT's in its two variants, or I-BERT's. */
export const nonlinearFamilies = ['default', 'shift', 'shift-deployment', 'poly'] as const
/** One of {@link nonlinearFamilies}. */
export type NonlinearFamily = (typeof nonlinearFamilies)[number]

export const planSchema = z.strictObject({
  schema: z.literal(1),
  kind: z.literal('dyadic-plan'),
  model: z.string().max(1024),
  /** How the numbers were chosen, for people: observer, samples, origin. */
  origin: z.record(z.string(), z.unknown()).default({}),
  /** Family of non-linear arithmetic; `default` where absent. */
  nonlinear: z.enum(nonlinearFamilies).optional(),
  inputs: z.record(names, inputSchema),
  tensors: z.record(names, tensorSchema),
  weights: z.record(names, weightSchema),
  /**
   * Outputs whose integers are an input's integers at the next step of a sequence. Both have one format, scale and zero
   * point; at the start of a sequence the input is zero.
   */
  states: z.array(z.strictObject({ input: names, output: names })).optional(),
  /** Real biases, one per output channel, in place of the file's; by layer. */
  biases: z.record(names, z.array(z.number().finite()).min(1)).optional(),
})

/** The quantisation of one network input. */
export type InputPlan = z.infer<typeof inputSchema>
/** The quantisation of one activation. */
export type TensorPlan = z.infer<typeof tensorSchema>
/** The quantisation of one layer's weights. */
export type WeightPlan = z.infer<typeof weightSchema>
/** An input that carries an output over to the next step. */
export type StatePair = NonNullable<Plan['states']>[number]
export type Plan = z.infer<typeof planSchema>

/** Integers a format can hold. */
export function formatRange(format: ActivationFormat | WeightFormat): { low: number; high: number } {
  const bits = Number(format.slice(1))
  return format[0] === 'u' ? { low: 0, high: 2 ** bits - 1 } : { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 }
}

/** Bytes of one weight code in a plan and in a program. */
export function codeBytes(format: WeightFormat): 1 | 2 {
  return format === 's16' ? 2 : 1
}

/** A plan from parsed JSON. Throws `refused` listing every wrong field by its path. */
export function parsePlan(json: unknown, where: string): Plan {
  // The schema library passes over this key in silence.
  for (const part of ['inputs', 'tensors', 'weights', 'biases'] as const) {
    const entries =
      typeof json === 'object' && json !== null ? (json as Partial<Record<typeof part, unknown>>)[part] : undefined
    if (typeof entries === 'object' && entries !== null && Object.hasOwn(entries, '__proto__'))
      throw new DyadicError(
        'refused',
        `${where} is not a dyadic plan: ${part} has an entry for "__proto__", a name that plans cannot have`,
      )
  }
  const result = planSchema.safeParse(json)
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, 12)
    .map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`)
  throw new DyadicError('refused', `${where} is not a dyadic plan:\n  ${problems.join('\n  ')}`)
}

/** The plan as text: two-space JSON with a final newline, keys in the order they were made. */
export function printPlan(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`
}
