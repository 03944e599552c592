/** What the process says to a script when it ends. One table; messages are for people, these numbers are for CI. */
import { DyadicError, type ErrorCode } from '../error.ts'

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unsupported: 3,
  gate: 4,
  verification: 5,
  /** 128 + SIGINT, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const BY_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  usage: EXIT.usage,
  refused: EXIT.failed,
  unsupported: EXIT.unsupported,
  limit: EXIT.unsupported,
  gate: EXIT.gate,
  verification: EXIT.verification,
}

/** The exit code of whatever was thrown; anything that is no {@link DyadicError} is a failure. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof DyadicError ? BY_CODE[error.code] : EXIT.failed
}

/** The table for `--help`. */
export const EXIT_HELP =
  'Exit codes: 0 done, 1 input refused or failed, 2 wrong usage, 3 unsupported model\n' +
  'or limit, 4 a gate not met, 5 verification failed, 130 interrupted.'
