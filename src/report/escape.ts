/**
 * Text that came from a model, as HTML and SVG: markup is escaped, and characters that nobody sees or that reorder their
 * neighbours (controls, bidirectional marks, zero widths, lone surrogates) are written out as \u{…}.
 */

/** Longest name that is shown, in characters. */
const LONGEST_NAME = 160

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu

const MARKUP: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Text for element content and for attribute values in quotes. */
export function escapeText(text: string): string {
  return text
    .replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
    .replace(/[&<>"']/g, (character) => MARKUP.get(character) as string)
}

/** A name that is escaped and cut: for attribute values and SVG text. */
export function plainName(name: string): string {
  const characters = Array.from(name)
  return escapeText(characters.length > LONGEST_NAME ? `${characters.slice(0, LONGEST_NAME).join('')}…` : name)
}

/** A name as an element of its own, whose direction of writing does not reach its neighbours. */
export function nameElement(name: string): string {
  return `<bdi class="name">${plainName(name)}</bdi>`
}
