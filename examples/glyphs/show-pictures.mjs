/**
 * Grey pictures of 28×28 as text, side by side, two rows a line, each stretched to its own darkest and lightest pixel: in
 * half blocks of 24 greys, or in plain ASCII, where one character is the mean of its two pixels.
 */
const SIZE = 28
const GAP = 2
/** From dark to light. */
const RAMP = ' .:-=+*#%@'
/** The first of a terminal's 24 greys in its 256 colours, and their number. */
const FIRST_GREY = 232
const GREYS = 24

/** Pixels as steps 0 … steps − 1 between the darkest and the lightest. */
function stretched(pixels, steps) {
  const dark = Math.min(...pixels)
  const range = Math.max(...pixels) - dark + 1
  return Array.from(pixels, (value) => Math.floor(((value - dark) * steps) / range))
}

/** A picture as 14 lines of 28 characters. */
function linesOf(pixels, blocks) {
  const greys = stretched(pixels, blocks ? GREYS : RAMP.length)
  return Array.from({ length: SIZE / 2 }, (_, row) => {
    const cells = Array.from({ length: SIZE }, (_, column) => {
      const upper = greys[2 * row * SIZE + column]
      const lower = greys[(2 * row + 1) * SIZE + column]
      return blocks
        ? `\x1b[38;5;${FIRST_GREY + upper};48;5;${FIRST_GREY + lower}m▀`
        : RAMP[Math.floor((upper + lower) / 2)]
    })
    return `${cells.join('')}${blocks ? '\x1b[0m' : ''}`
  })
}

/**
 * @param {readonly { pixels: Uint8Array, caption: string, answers: string }[]} pictures Texts of at most 28 characters.
 * @param {{ columns?: number, blocks?: boolean }} [options] Width of the screen; half blocks in grey.
 * @returns {string}
 */
export function showPictures(pictures, { columns = 120, blocks = false } = {}) {
  const perRow = Math.max(1, Math.floor((columns + GAP) / (SIZE + GAP)))
  const lines = []
  for (let first = 0; first < pictures.length; first += perRow) {
    const group = pictures.slice(first, first + perRow)
    const join = (cells) => cells.join(' '.repeat(GAP)).trimEnd()
    const drawn = group.map(({ pixels }) => linesOf(pixels, blocks))
    for (let row = 0; row < SIZE / 2; row += 1) lines.push(join(drawn.map((picture) => picture[row])))
    for (const text of ['caption', 'answers']) lines.push(join(group.map((picture) => picture[text].padEnd(SIZE))))
    lines.push('')
  }
  return lines.join('\n')
}
