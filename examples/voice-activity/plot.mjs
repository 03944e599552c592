/** The probability of speech over time, as lines of text and as SVG. */

const ROWS = 8
const BLOCKS = ' ▁▂▃▄▅▆▇█'

/**
 * Lines of at most `width` columns below a scale of 0 to 1; a column is the mean of its windows.
 * @param {readonly number[]} probabilities @param {number} seconds Of a window. @param {number} width
 */
export function textPlot(probabilities, seconds, width) {
  const columns = Math.min(width, probabilities.length)
  const edge = (x) => Math.floor((x * probabilities.length) / columns)
  const heights = Array.from({ length: columns }, (_, x) => {
    const windows = probabilities.slice(edge(x), edge(x + 1))
    return Math.round((windows.reduce((sum, value) => sum + value, 0) / windows.length) * ROWS * 8)
  })
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const below = (ROWS - 1 - i) * 8
    const label = { 0: '1.0', [ROWS / 2]: '0.5' }[i] ?? ''
    return `${label.padStart(4)} │${heights.map((height) => BLOCKS[Math.max(0, Math.min(8, height - below))]).join('')}`
  })
  const total = `${(probabilities.length * seconds).toFixed(1)} s`
  return [...rows, ` 0.0 └${'─'.repeat(columns)}`, `      0${total.padStart(Math.max(0, columns - 1))}`]
    .map((line) => line.trimEnd())
    .join('\n')
}

const WIDTH = 960
const HEIGHT = 200
const LEFT = 40
const BOTTOM = 30

/**
 * The curve, with speech behind it.
 * @param {readonly number[]} probabilities @param {readonly import('./segments.d.mts').Segment[]} segments
 * @param {number} seconds Of a window.
 */
export function svgPlot(probabilities, segments, seconds) {
  const total = probabilities.length * seconds
  const x = (time) => (LEFT + (time / total) * WIDTH).toFixed(1)
  const y = (probability) => (10 + (1 - probability) * HEIGHT).toFixed(1)
  const line = (from, to) => `<path d="M${from.join(' ')}L${to.join(' ')}" stroke="#999"/>`
  const text = (at, anchor, words) => `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}">${words}</text>`
  const times = Array.from({ length: Math.floor(total / 5) + 1 }, (_, i) => 5 * i)
  const points = probabilities.map((probability, t) => `${x((t + 0.5) * seconds)},${y(probability)}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${10 + HEIGHT + BOTTOM}" font-family="sans-serif" font-size="12">`,
    '<title>Probability of speech over time</title>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...segments.map(
      ({ from, to }) =>
        `<rect x="${x(from)}" y="${y(1)}" width="${(((to - from) / total) * WIDTH).toFixed(1)}" height="${HEIGHT}" fill="#dbeafe"/>`,
    ),
    ...[0, 0.5, 1].flatMap((value) => [
      line([x(0), y(value)], [x(total), y(value)]),
      text([LEFT - 6, y(value)], 'end', value),
    ]),
    ...times.map((time) => text([x(time), 10 + HEIGHT + 18], 'middle', `${time} s`)),
    `<polyline points="${points.join(' ')}" fill="none" stroke="#1d4ed8"/>`,
    '</svg>\n',
  ].join('\n')
}
