/**
 * The one error class of the library. A message says what was found, where, why it is refused and what to do next.
 * Text that comes from a model or a file goes through {@link quoted}; whatever else a message holds cannot steer a terminal
 * either.
 */

/** Stable categories; the command line maps them to exit codes. */
export type ErrorCode =
  /** A wrong option or argument of the caller (exit 2). */
  | 'usage'
  /** Input that is malformed, contradictory or unreadable (exit 1). */
  | 'refused'
  /** A well-formed model that needs something dyadic does not do (exit 3). */
  | 'unsupported'
  /** A limit on size, memory or work (exit 3). */
  | 'limit'
  /** A gate such as `--max-loss` was not met (exit 4). */
  | 'gate'
  /** A compiled program is not what it claims to be (exit 5). */
  | 'verification'

/** Longest message that is ever shown, in bytes of UTF-8. */
export const MAXIMUM_MESSAGE_LENGTH = 4096

const ELLIPSIS = '…'
const UTF8 = new TextEncoder()

function shortened(message: string): string {
  // A character takes at least one byte, and at most three for each of its UTF-16 units.
  if (3 * message.length <= MAXIMUM_MESSAGE_LENGTH) return message
  const start = message.slice(0, MAXIMUM_MESSAGE_LENGTH + 1)
  const whole = new Uint8Array(3 * start.length)
  if (UTF8.encodeInto(start, whole).written <= MAXIMUM_MESSAGE_LENGTH) return message
  const room = whole.subarray(0, MAXIMUM_MESSAGE_LENGTH - UTF8.encode(ELLIPSIS).length)
  return start.slice(0, UTF8.encodeInto(start, room).read) + ELLIPSIS
}

/**
 * Text without what could steer a terminal or turn the direction of writing: control characters but line feeds and tabs, line
 * and paragraph separators, bidirectional marks.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are replaced.
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

function printable(message: string): string {
  return message.replace(STEERING, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

export class DyadicError extends Error {
  override readonly name = 'DyadicError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(shortened(printable(message)), options)
    this.code = code
  }
}

/** A name from outside, in double quotes, escaped to printable ASCII and cut to 120 characters. */
export function quoted(name: string): string {
  let text = ''
  for (const character of name) {
    if (text.length >= 120) return `"${text}…"`
    const point = character.codePointAt(0) as number
    if (character === '"' || character === '\\') text += `\\${character}`
    else if (point >= 0x20 && point < 0x7f) text += character
    else text += `\\u{${point.toString(16)}}`
  }
  return `"${text}"`
}
