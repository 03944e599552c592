/** Samples that are plain little-endian numbers, one sample after another, without any header. */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath, splitPath } from './file-path.ts'
import { sampleKind } from './sample-kind.ts'
import { requireFinite, sampleSizes } from './sample-numbers.ts'

const ARRAYS = { uint8: Uint8Array, int8: Int8Array, float32: Float32Array } as const

/** `{"kind": "raw", "file": "features.i8.bin", "type": "int8", "shape": [1, 49, 10]}`; `shape` is of one sample. */
export const rawKind = sampleKind({
  kind: 'raw',
  schema: z.strictObject({
    kind: z.literal('raw'),
    file: z.string().min(1),
    type: z.enum(['uint8', 'int8', 'float32']),
    shape: sampleSizes.describe('of one sample, without the batch axis'),
    channelAxis: z.int().min(0).optional().describe('axis of per-channel scales; 0 if absent'),
  }),
  async open({ file, type, shape, channelAxis = 0 }, { files, folder }) {
    const path = joinPath(folder, file)
    const bytes = await files.read(path)
    const size = shape.reduce((product, axis) => product * axis, 1)
    const sampleBytes = size * ARRAYS[type].BYTES_PER_ELEMENT
    if (bytes.length === 0 || bytes.length % sampleBytes !== 0)
      throw new DyadicError(
        'refused',
        `${quoted(path)} has ${bytes.length} bytes, not a positive multiple of the ${sampleBytes} bytes ` +
          `of a sample of type ${type} and shape [${shape}]`,
      )
    return {
      length: bytes.length / sampleBytes,
      elementType: type,
      shape,
      channelAxis,
      describe: (index) => `${splitPath(path).file}#${index}`,
      async read(index) {
        const sample = new ARRAYS[type](
          new Uint8Array(bytes.subarray(index * sampleBytes, (index + 1) * sampleBytes)).buffer,
        )
        if (sample instanceof Float32Array) requireFinite(sample, `${path}#${index}`)
        return sample
      },
    }
  },
})
