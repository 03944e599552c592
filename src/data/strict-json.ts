/**
 * JSON from files that nobody has vouched for, read more strictly than `JSON.parse` does: UTF-8 without a byte order mark, at
 * most 64 levels, no key twice in one object, no number beyond the range of doubles. One pass over the text, without
 * recursion. Source: RFC 8259, section 4 (names should be unique) and section 9 (limits).
 */
import { DyadicError, quoted } from '../error.ts'

/** Objects and lists within each other. */
const DEEPEST = 64

/** The value in `bytes`. Throws `refused` beginning with `where`, a text such as `plan "p.json"`. */
export function parseStrictJson(bytes: Uint8Array, where: string): unknown {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    checkDepth(text, where)
    value = JSON.parse(text)
  } catch (cause) {
    if (cause instanceof DyadicError) throw cause
    throw new DyadicError('refused', `${where} is not JSON in UTF-8`, { cause })
  }
  checkMembers(text, where)
  return value
}

/** Strings, brackets, colons and numbers; all else is of no interest here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|-?\d[\d.eE+-]*/g

/** Before parsing: the parser itself has no limit that could be relied on. */
function checkDepth(text: string, where: string): void {
  let depth = 0
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth > DEEPEST) throw new DyadicError('refused', `${where}: it is nested deeper than ${DEEPEST} levels`)
  }
}

/** After parsing, so that the text is known to be JSON. */
function checkMembers(text: string, where: string): void {
  // The keys of every open object; `undefined` for a list.
  const open: (Set<string> | undefined)[] = []
  let keyMayCome = false
  for (const [token] of text.matchAll(TOKEN)) {
    const first = token[0]
    if (first === '{') open.push(new Set())
    else if (first === '[') open.push(undefined)
    else if (first === '}' || first === ']') open.pop()
    else if (first === '"' && keyMayCome) {
      const keys = open.at(-1) as Set<string>
      const key = JSON.parse(token) as string
      if (keys.has(key)) throw new DyadicError('refused', `${where}: the key ${quoted(key)} stands twice in one object`)
      keys.add(key)
    } else if (first !== ':' && first !== ',' && first !== '"' && !Number.isFinite(Number(token)))
      throw new DyadicError('refused', `${where}: the number ${quoted(token)} is beyond the range of numbers`)
    keyMayCome = (first === '{' || first === ',') && open.at(-1) !== undefined
  }
}
