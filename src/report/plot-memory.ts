/** The memory plan: which bytes of the arena each buffer takes, and during which instructions. */
import { type Axis, axis, axisTitles, countBelow, drawing, pixel, ticksLeft } from './axis.ts'
import { plainName } from './escape.ts'
import { byteText, integerText } from './quantities.ts'

const WIDTH = 960
const AREA = { left: 92, right: 944, top: 16, bottom: 312 }
const HEIGHT = 360

/** A range of the arena that one thing takes for a while. */
export interface MemoryBuffer {
  /** The stored value, input or output; of a scratch buffer the instruction that needs it. */
  readonly name: string
  readonly kind: 'value' | 'scratch' | 'port'
  /** Bytes from the beginning of the arena. */
  readonly offset: number
  readonly bytes: number
  /** The first and the last instruction during which it may not be overwritten; from −1 for what is there before the first. */
  readonly from: number
  readonly to: number
}

function kibibytes(value: number): string {
  return `${integerText(value / 1024)} KiB`
}

/** An axis with ticks at multiples of a power of two, as addresses are read. */
function addressAxis(bytes: number): Axis {
  const { at } = axis(0, bytes, AREA.bottom, AREA.top)
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(bytes / 6)))
  return { ticks: Array.from({ length: Math.floor(bytes / step) + 1 }, (_, index) => index * step), at }
}

/** Inline SVG for an arena of `bytes` bytes and a program of `instructions` instructions; colours come from the page's style. */
export function plotMemory(buffers: readonly MemoryBuffer[], bytes: number, instructions: number): string {
  const y = addressAxis(Math.max(1, bytes))
  const columns = Math.max(1, instructions)
  const width = (AREA.right - AREA.left) / columns
  const x = (index: number): number => AREA.left + width * Math.min(columns, Math.max(0, index))
  const lines = [
    ...ticksLeft(y, AREA, (tick) => (bytes < 4096 ? integerText(tick) : kibibytes(tick))),
    ...countBelow(columns, (index) => x(index) + width / 2, AREA),
  ]
  for (const { name, kind, offset, bytes: size, from, to } of buffers) {
    const [top, bottom] = [y.at(offset + size), y.at(offset)]
    const what = { value: 'value', scratch: 'widened input of', port: 'array of' }[kind]
    lines.push(
      `<rect class="buffer ${kind}" x="${pixel(x(from))}" y="${pixel(top)}" width="${pixel(x(to + 1) - x(from))}" height="${pixel(Math.max(0.5, bottom - top))}">` +
        `<title>${what} ${plainName(name)}: ${byteText(size)} from ${integerText(offset)}, instructions ${Math.max(0, from)} to ${Math.min(columns - 1, to)}</title></rect>`,
    )
  }
  lines.push(...axisTitles(AREA, HEIGHT, 'instruction, in the order of execution', 'bytes above the constants'))
  return drawing('wide', WIDTH, HEIGHT, `${buffers.length} buffers in an arena of ${byteText(bytes)}`, lines)
}
