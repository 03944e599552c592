/**
 * Samples in the CIFAR binary layout: per record one label byte (CIFAR-10), or a coarse and a fine one (CIFAR-100, the
 * fine one is the label), then 3072 bytes: 32×32 pixels, planar red, green, blue.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath, splitPath } from './file-path.ts'
import { sampleKind } from './sample-kind.ts'

const PIXEL_BYTES = 3 * 32 * 32

/** `{"kind": "cifar", "files": ["test.bin"], "labelBytes": 1}`: samples [3, 32, 32] of uint8 with stored labels. */
export const cifarKind = sampleKind({
  kind: 'cifar',
  schema: z.strictObject({
    kind: z.literal('cifar'),
    files: z.array(z.string().min(1)).min(1).describe('read one after another'),
    labelBytes: z
      .union([z.literal(1), z.literal(2)])
      .optional()
      .describe('label bytes per record; 1 if absent'),
  }),
  async open({ files: names, labelBytes = 1 }, { files, folder }) {
    const recordBytes = labelBytes + PIXEL_BYTES
    const records: { bytes: Uint8Array; from: string }[] = []
    for (const name of names) {
      const path = joinPath(folder, name)
      const bytes = await files.read(path)
      if (bytes.length === 0 || bytes.length % recordBytes !== 0)
        throw new DyadicError(
          'refused',
          `CIFAR file ${quoted(path)} has ${bytes.length} bytes, not a positive multiple of ${recordBytes} ` +
            `(${labelBytes} label bytes and ${PIXEL_BYTES} pixel bytes); for CIFAR-100 set "labelBytes" to 2`,
        )
      for (let at = 0; at < bytes.length; at += recordBytes)
        records.push({
          bytes: bytes.subarray(at, at + recordBytes),
          from: `${splitPath(path).file}#${at / recordBytes}`,
        })
    }
    return {
      length: records.length,
      elementType: 'uint8',
      shape: [3, 32, 32],
      channelAxis: 0,
      storedLabel: (index) => records[index]!.bytes[labelBytes - 1]!,
      describe: (index) => records[index]!.from,
      read: async (index) => records[index]!.bytes.slice(labelBytes),
    }
  },
})
