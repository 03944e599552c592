/**
 * From the text behind a flag to its value, one parser each. What is wrong ends in `InvalidArgumentError` with the values there
 * are, before anything is read.
 */
import { InvalidArgumentError } from 'commander'
import { DyadicError } from '../error.ts'
import { defaultWorkLimits } from '../graph/work-limits.ts'
import { limitNames } from '../onnx/index.ts'
import { createObserver } from '../quantize/create-observer.ts'
import { type KeepRule, type KeptFormat, keptFormats } from '../quantize/format-choice.ts'
import { type MethodName, methodNames } from '../quantize/methods.ts'
import type { RangeMethod } from '../quantize/observe.ts'
import type { StatePair } from '../quantize/plan.ts'
import { type GroupSize, groupSizes } from '../quantize/weight-groups.ts'
import { chooseBits } from '../search/bit-choice.ts'
import { parsed, positiveInteger } from './option-entry.ts'
import { type PeerName, peerNames } from './peers.ts'

/** Files that `compile --emit` can write beside the module. */
export const emittable = ['plan', 'integer-graph', 'module', 'gpu'] as const
export type Emittable = (typeof emittable)[number]

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

export function byteCount(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([KMG]i?B)?$/.exec(text) ?? []
  const value = digits === undefined ? Number.NaN : Math.floor(Number(digits) * (UNITS[unit ?? ''] as number))
  if (!(value >= 1 && value <= 2 ** 53)) throw new InvalidArgumentError('Write bytes as 500000, 500KB, 64KiB or 1.5MB.')
  return value
}

export function bitWidth(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 1 && value <= 64)) throw new InvalidArgumentError('It must be an integer from 1 to 64.')
  return value
}

export function share(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN)
  if (!(value <= 100)) throw new InvalidArgumentError('Write a share of the samples in per cent, such as 0.5%.')
  return value / 100
}

export function rangeMethod(text: string): RangeMethod {
  try {
    createObserver(text as RangeMethod)
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    throw new InvalidArgumentError(
      'Allowed are minmax, mse, entropy and percentile:P with 50 < P <= 100, such as percentile:99.99.',
    )
  }
  return text as RangeMethod
}

export function methodList(text: string): readonly MethodName[] {
  const names = text === 'none' ? [] : text.split(',')
  const wrong = names.find((name) => !(methodNames as readonly string[]).includes(name))
  if (wrong !== undefined || new Set(names).size < names.length)
    throw new InvalidArgumentError(
      `Allowed are none, or ${methodNames.join(', ')}; several separated by commas, each once.`,
    )
  return names as MethodName[]
}

export function keepRules(text: string, previous: readonly KeepRule[] | undefined): readonly KeepRule[] {
  // A comma inside a pattern, as in a{1,2}, is not one before the next rule: rules end with a format.
  const rules = text.split(new RegExp(`(?<=:(?:${keptFormats.join('|')})),`)).map((part) => {
    const at = part.lastIndexOf(':')
    const [pattern, format] = [part.slice(0, at), part.slice(at + 1)]
    if (at < 1 || !(keptFormats as readonly string[]).includes(format))
      throw new InvalidArgumentError(
        `Write pattern:format such as @first:w8 or 'stem.*:s16'; formats are ${keptFormats.join(', ')}.`,
      )
    return { pattern, format: format as KeptFormat }
  })
  return [...(previous ?? []), ...rules]
}

export function groupSize(text: string): GroupSize {
  const size = groupSizes.find((known) => String(known) === text)
  if (size === undefined) throw new InvalidArgumentError(`Allowed choices are ${groupSizes.join(', ')}.`)
  return size
}

export function axisSize(
  text: string,
  previous: Readonly<Record<string, number>> | undefined,
): Readonly<Record<string, number>> {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write the axis and its size as name=value, such as height=224.')
  return Object.fromEntries([
    ...Object.entries(previous ?? {}),
    [text.slice(0, at), positiveInteger(text.slice(at + 1))],
  ])
}

export function bindings(
  text: string,
  previous: Readonly<Record<string, readonly number[]>> | undefined,
): Readonly<Record<string, readonly number[]>> {
  const at = text.lastIndexOf('=')
  const numbers = text.slice(at + 1).split(',')
  if (at < 1 || !numbers.every((number) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number)))
    throw new InvalidArgumentError('Write a name and its number, or numbers, as sr=16000 or scale=0.5,0.25.')
  return Object.fromEntries([...Object.entries(previous ?? {}), [text.slice(0, at), numbers.map(Number)]])
}

/** input=output, collected over several uses. */
export function statePairs(text: string, previous: readonly StatePair[] | undefined): readonly StatePair[] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError('Write an input and the output that feeds it, as state=stateN.')
  return [...(previous ?? []), { input: text.slice(0, at), output: text.slice(at + 1) }]
}

export function limitList(
  text: string,
  previous: Readonly<Record<string, number>> | undefined,
): Readonly<Record<string, number>> {
  const known: readonly string[] = [...limitNames, ...Object.keys(defaultWorkLimits)]
  const given = text.split(',').map((part): [string, number] => {
    const [, name = '', digits = ''] = /^(\w+)=(\d{1,16})$/.exec(part) ?? []
    const value = Number(digits)
    if (!known.includes(name) || !Number.isSafeInteger(value) || value < 1)
      throw new InvalidArgumentError(`Write name=value with a positive integer; limits are ${known.join(', ')}.`)
    return [name, value]
  })
  return Object.fromEntries([...Object.entries(previous ?? {}), ...given])
}

export function emitList(text: string): readonly Emittable[] {
  const names = text.split(',')
  const wrong = names.find((name) => !(emittable as readonly string[]).includes(name))
  if (wrong !== undefined)
    throw new InvalidArgumentError(`Allowed choices are ${emittable.join(', ')}, separated by commas.`)
  return [...new Set(names)] as Emittable[]
}

export function bitList(text: string): readonly number[] {
  const bits = text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN))
  return parsed(() => chooseBits(bits).map((choice) => choice.bits))
}

export function peerList(text: string): readonly PeerName[] {
  const names = text.split(',')
  if (!names.every((name) => (peerNames as readonly string[]).includes(name)))
    throw new InvalidArgumentError(`Allowed choices are ${peerNames.join(', ')}, separated by commas.`)
  return [...new Set(names)] as PeerName[]
}
