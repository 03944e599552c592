/** A plot as a file of its own: with the style that a page would give it, and with its own paper. */
import { COLOURS, PLOT_STYLE } from './style.ts'

/** The text of an .svg file from the inline SVG that {@link drawing} makes. */
export function standalonePlot(svg: string): string {
  const [whole, width, height, rest] = /^<svg class="[^"]*" viewBox="0 0 (\d+) (\d+)"([^>]*>)/.exec(svg) ?? []
  if (whole === undefined) throw new Error('not a plot')
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"${rest}\n` +
    `<style>${COLOURS}svg { font: 12px system-ui, sans-serif; }\n${PLOT_STYLE}.paper { fill: var(--paper); }\n</style>\n` +
    `<rect class="paper" width="${width}" height="${height}"/>${svg.slice(whole.length)}\n`
  )
}
