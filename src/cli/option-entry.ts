/** What an option is, and the parsers that several files of options share. */
import { InvalidArgumentError } from 'commander'
import { DyadicError } from '../error.ts'

export interface OptionEntry<Value> {
  readonly flags: string
  readonly help: string
  readonly group: string
  readonly default?: Value
  /** The only values there are. */
  readonly choices?: readonly string[]
  /** From the text and, for an option that may come several times, what came before. Throws `InvalidArgumentError`. */
  readonly parse?: (text: string, previous: Value | undefined) => Value
}

export function positiveInteger(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 1 && value <= 2 ** 31 - 1))
    throw new InvalidArgumentError('It must be an integer from 1 to 2147483647.')
  return value
}

/** Distinct names separated by commas. */
export function nameList(text: string): readonly string[] {
  const names = text.split(',')
  if (names.includes('')) throw new InvalidArgumentError('Write names separated by commas.')
  return [...new Set(names)]
}

/** What a parser of the library refuses as a wrong option, said by the command line's own parser. */
export function parsed<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}

/** An entry whose value type is inferred. */
export const entry = <Value>(options: OptionEntry<Value>): OptionEntry<Value> => options
export const GENERAL = 'Output:'
export const MODEL = 'Model:'
export const DATA = 'Data:'
export const NUMBERS = 'Choosing numbers:'
export const GATES = 'Gates (exit code 4, and nothing is written):'

/** Groups in the order in which help shows them. */
export const GROUPS: readonly string[] = [DATA, NUMBERS, GATES, GENERAL, MODEL]
