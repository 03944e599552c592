/**
 * Samples that are encoded pictures (JPEG, PNG, WebP), in a folder or a tar archive. A picture is decoded and
 * preprocessed when it is read; nothing is kept but the archive's bytes. Decoding is the caller's: an
 * {@link ImageDecoder} is injected, so that this file runs where no file system or native library is.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath } from './file-path.ts'
import { compareCodePoints } from './order.ts'
import { preprocess, sampleShape } from './preprocess.ts'
import { type SampleContext, sampleKind } from './sample-kind.ts'
import { readTar } from './tar.ts'

/** Largest encoded picture, in bytes. */
const PICTURE_LIMIT = 64 * 2 ** 20
const EXTENSION = /\.(jpe?g|png|webp)$/i

/** Whether a file counts as a picture: by its extension, and not hidden (macOS archives hold `._name.jpg` companions). */
export function isPictureName(name: string): boolean {
  return EXTENSION.test(name) && !name.slice(name.lastIndexOf('/') + 1).startsWith('.')
}

/** `{"kind": "images", "folder": "pictures"}` or `{"kind": "images", "tar": "images.tar"}`; needs the card's `image`. */
export const imagesKind = sampleKind({
  kind: 'images',
  schema: z
    .strictObject({
      kind: z.literal('images'),
      folder: z.string().min(1).optional().describe('folder of pictures'),
      tar: z.string().min(1).optional().describe('tar archive of pictures'),
    })
    .refine((samples) => (samples.folder === undefined) !== (samples.tar === undefined), {
      message: 'give exactly one of "folder" and "tar"',
    }),
  async open({ folder, tar }, context) {
    const { decodeImage, image } = context
    if (image === undefined) throw new DyadicError('usage', 'pictures need the "image" part of the data card')
    if (decodeImage === undefined)
      throw new DyadicError('usage', 'the data card has pictures, but no image decoder was given')
    const stored = folder === undefined ? await openTar(tar as string, context) : await listFolder(folder, context)
    return {
      length: stored.names.length,
      elementType: 'uint8',
      ...sampleShape(image),
      names: stored.names,
      describe: (index) => stored.names[index]!,
      async read(index) {
        const where = `${stored.where}/${stored.names[index]}`
        const { width, height, rgb } = await decodeImage(await stored.read(stored.names[index]!), where)
        try {
          return preprocess({ width, height, channels: 3, data: rgb }, image)
        } catch (error) {
          if (!(error instanceof DyadicError)) throw error
          throw new DyadicError(error.code, `picture ${quoted(where)}: ${error.message}`, { cause: error })
        }
      },
    }
  },
})

interface StoredPictures {
  readonly where: string
  /** Names in the order of the samples. */
  readonly names: readonly string[]
  read(name: string): Promise<Uint8Array>
}

async function openTar(tar: string, { files, folder }: SampleContext): Promise<StoredPictures> {
  const where = joinPath(folder, tar)
  const archive = readTar(await files.read(where), where)
  return { where, names: picturesOf([...archive.keys()], where), read: async (name) => archive.get(name)! }
}

async function listFolder(pictures: string, { files, folder, nested }: SampleContext): Promise<StoredPictures> {
  const where = joinPath(folder, pictures)
  const names = await files.list(where)
  if (nested) {
    if (files.listFolders === undefined)
      throw new DyadicError('usage', 'labels of kind "folders" need a file access that lists folders (listFolders)')
    for (const inner of await files.listFolders(where))
      for (const name of await files.list(joinPath(where, inner))) names.push(`${inner}/${name}`)
  }
  return { where, names: picturesOf(names, where), read: (name) => files.read(joinPath(where, name), PICTURE_LIMIT) }
}

function picturesOf(names: string[], where: string): string[] {
  const pictures = names.filter(isPictureName).sort(compareCodePoints)
  if (pictures.length === 0)
    throw new DyadicError(
      'refused',
      `${quoted(where)} holds no picture: none of its ${names.length} files ends in .jpg, .jpeg, .png or .webp`,
    )
  return pictures
}
