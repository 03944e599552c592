/** From the bytes of a `.gpu` file to a program that the runtime may use. */
import { checkHeader } from './check-header.ts'
import { GpuError } from './failure.ts'
import { constantsStart, type GpuHeader, type GpuProgram, MAGIC, PREFIX } from './program.ts'

/** Headers are kilobytes of shaders and dispatches; a length beyond this is damage. */
const MOST_HEADER_BYTES = 2 ** 26

/** Throws `program` for bytes that are no GPU program of this schema, end early, or do not fit together. */
export function readGpuProgram(bytes: Uint8Array): GpuProgram {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length))
  if (magic !== MAGIC || bytes.length < PREFIX)
    throw new GpuError('program', `not a dyadic GPU program: it does not begin with ${MAGIC}`)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true)
  const start = constantsStart(length)
  if (length > MOST_HEADER_BYTES || start > bytes.length)
    throw new GpuError('program', `the GPU program's header has ${length} bytes, the file ${bytes.length}`)
  let text = ''
  for (let at = 0; at < length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(PREFIX + at, PREFIX + Math.min(at + 4096, length)))
  let header: GpuHeader
  try {
    header = JSON.parse(text, (_key, value) => Object.freeze(value))
  } catch (cause) {
    throw new GpuError('program', `the GPU program's header is not JSON: ${cause}`, { cause })
  }
  if (header?.schema !== 1)
    throw new GpuError('program', `the GPU program has schema ${header?.schema}, this runtime reads 1; update dyadic`)
  const constants = bytes.subarray(start)
  if (constants.length !== header.constantBytes)
    throw new GpuError(
      'program',
      `the GPU program's constants have ${constants.length} bytes, its header says ${header.constantBytes}`,
    )
  checkHeader(header)
  return { header, constants }
}
