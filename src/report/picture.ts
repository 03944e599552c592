/**
 * A sample as a small picture that a page can hold: an uncompressed bitmap (BMP, 24 bits) in a data URI. Nothing is loaded,
 * and the same sample gives the same bytes.
 */

/** Longest side of a picture, in pixels; larger samples are thinned out, every n-th row and column. */
const MOST_PIXELS = 112
/** File header and information header. */
const HEADER = 54

/** Height, width and channels of a sample that is a picture in the order C, H, W; undefined for anything else. */
function pictureSize(shape: readonly number[]): { channels: number; height: number; width: number } | undefined {
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape
  if (shape.length > 3 || (channels !== 1 && channels !== 3)) return undefined
  return height >= 8 && width >= 8 ? { channels, height, width } : undefined
}

/** Stored numbers as bytes of light: bytes as they are, reals between their extremes. */
function brightness(values: Uint8Array | Int8Array | Float32Array): (index: number) => number {
  if (values instanceof Uint8Array) return (index) => values[index]
  if (values instanceof Int8Array) return (index) => values[index] + 128
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const scale = high > low ? 255 / (high - low) : 0
  return (index) => Math.round((values[index] - low) * scale)
}

/** The data URI of a sample of a shape without batch axis, C, H, W; undefined where that is no picture. */
export function pictureOf(values: Uint8Array | Int8Array | Float32Array, shape: readonly number[]): string | undefined {
  const size = pictureSize(shape)
  if (size === undefined) return undefined
  const { channels, height, width } = size
  const step = Math.ceil(Math.max(height, width) / MOST_PIXELS)
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)]
  const light = brightness(values)
  // Rows are padded to four bytes and go from the bottom to the top; pixels are blue, green, red.
  const pitch = (columns * 3 + 3) & ~3
  const file = new Uint8Array(HEADER + pitch * rows)
  const view = new DataView(file.buffer)
  file.set([0x42, 0x4d])
  view.setUint32(2, file.length, true)
  view.setUint32(10, HEADER, true)
  view.setUint32(14, HEADER - 14, true)
  view.setInt32(18, columns, true)
  view.setInt32(22, rows, true)
  view.setUint16(26, 1, true)
  view.setUint16(28, 24, true)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let colour = 0; colour < 3; colour++) {
        const channel = channels === 1 ? 0 : 2 - colour
        file[HEADER + pitch * (rows - 1 - row) + 3 * column + colour] = light(
          (channel * height + row * step) * width + column * step,
        )
      }
  let text = ''
  for (const byte of file) text += String.fromCharCode(byte)
  return `data:image/bmp;base64,${btoa(text)}`
}
