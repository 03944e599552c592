/** Names from a file: where one is needed it is not empty, and none is longer than the limit. */
import { DyadicError, quoted } from '../error.ts'
import type { Limits } from './limits.ts'

/** A name that must be there. `what` says whose, for messages. Throws `refused` without one, `limit` beyond the limit. */
export function checkedName(name: string | undefined, what: string, limits: Limits): string {
  if (name === undefined || name === '') throw new DyadicError('refused', `${what} of the graph has no name`)
  return limitedName(name, limits)
}

/** A name that may be empty. Throws `limit` beyond the limit. */
export function limitedName(name: string, limits: Limits): string {
  if (name.length > limits.nameLength)
    throw new DyadicError(
      'limit',
      `the name ${quoted(name)} has ${name.length} characters; at most ${limits.nameLength} are read (limit "nameLength")`,
    )
  return name
}
