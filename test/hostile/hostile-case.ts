/** What a case of the hostile corpus is: a file, what is wrong with it, and what must happen. */

export interface HostileCase {
  /** Unique; the file is named after it. */
  readonly name: string
  readonly group: string
  /** What is wrong, for people. */
  readonly wrong: string
  /** `either` where a reader may rightly do both, as long as it does so quickly. */
  readonly expected: 'refused' | 'accepted' | 'either'
  /** A refusal must contain one of these, in any case: the element or the cause. */
  readonly words: readonly string[]
  /** The bytes of the model. */
  readonly bytes: () => Uint8Array
  /** Puts other files beside the model. `outside` is a folder beside the model's. */
  readonly place?: (folder: string, outside: string) => void
  /** Of an accepted case: the input `x`, and what the output `y` must be, exactly. */
  readonly result?: { readonly x: readonly number[]; readonly y: readonly number[] }
}

type Details = Pick<HostileCase, 'place' | 'result'>

/** A case that must be refused with one of `words` in the message. */
export function refused(
  name: string,
  wrong: string,
  words: string | readonly string[],
  bytes: () => Uint8Array,
  details: Details = {},
): Omit<HostileCase, 'group'> {
  return { name, wrong, expected: 'refused', words: typeof words === 'string' ? [words] : words, bytes, ...details }
}

/** A case that must be read, and give this result. */
export function accepted(
  name: string,
  wrong: string,
  bytes: () => Uint8Array,
  result: HostileCase['result'],
  details: Details = {},
): Omit<HostileCase, 'group'> {
  return { name, wrong, expected: 'accepted', words: [], bytes, ...(result && { result }), ...details }
}

/** A case that may be read or refused. */
export function either(name: string, wrong: string, bytes: () => Uint8Array): Omit<HostileCase, 'group'> {
  return { name, wrong, expected: 'either', words: [], bytes }
}

/** All cases of one group. */
export function group(name: string, cases: readonly Omit<HostileCase, 'group'>[]): HostileCase[] {
  return cases.map((one) => ({ ...one, group: name }))
}
