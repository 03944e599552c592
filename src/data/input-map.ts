/**
 * The map from stored numbers to the network's real input, real = scale × (stored − offset), and the card's two ways to
 * write it. The second, ((stored / divide) − mean) / std, is converted in doubles: scale = 1 / (divide × std) and
 * offset = mean × divide.
 */
import { z } from 'zod'
import { DyadicError } from '../error.ts'

const channels = z.union([z.number(), z.array(z.number()).min(1)])
const positive = z.number().positive()
const positiveChannels = z.union([positive, z.array(positive).min(1)])

/** The card's `input` part; arrays have one entry per channel. */
export const inputSchema = z.union([
  z.strictObject({ scale: positiveChannels, offset: channels.optional() }),
  z.strictObject({ divide: positive, mean: channels.optional(), std: positiveChannels.optional() }),
])

/** Per-channel constants of real = scale × (stored − offset), one entry where all channels have the same. */
export interface InputMap {
  readonly scale: readonly number[]
  readonly offset: readonly number[]
}

/**
 * The map of a card for samples of `channelCount` channels; scale 1 and offset 0 where the card has no `input`. Throws
 * `refused` when an array has another length, or a constant is not finite after conversion.
 */
export function inputMap(input: z.output<typeof inputSchema> | undefined, channelCount: number): InputMap {
  if (input === undefined) return { scale: [1], offset: [0] }
  const spread = (value: number | readonly number[] | undefined, absent: number, name: string): readonly number[] => {
    const list = typeof value === 'number' ? [value] : (value ?? [absent])
    if (list.length !== 1 && list.length !== channelCount)
      throw new DyadicError('refused', `"input.${name}" has ${list.length} entries for ${channelCount} channels`)
    return list
  }
  if ('scale' in input) return { scale: spread(input.scale, 1, 'scale'), offset: spread(input.offset, 0, 'offset') }
  const { divide } = input
  const scale = spread(input.std, 1, 'std').map((std) => 1 / (divide * std))
  const offset = spread(input.mean, 0, 'mean').map((mean) => mean * divide)
  if (![...scale, ...offset].every(Number.isFinite) || scale.includes(0))
    throw new DyadicError('refused', '"input.divide", "mean" and "std" give a scale or offset beyond double precision')
  return { scale, offset }
}
