/**
 * The data card for a path that a user gives: the card itself, or a default one for plain pictures and `.npy` files. What
 * a default card takes for granted is said in words, to be shown to the user.
 */
import { DyadicError, quoted } from '../error.ts'
import { type DataCard, parseDataCard } from './card.ts'
import type { FileAccess } from './data-set.ts'
import { splitPath } from './file-path.ts'
import { isPictureName } from './images.ts'
import { parseStrictJson } from './strict-json.ts'

/** The data card of a path: its own, or one with usual settings. */
export interface CardForPath {
  readonly card: DataCard
  /** The folder that the card's paths are relative to. */
  readonly folder: string
  /** What was taken for granted, one sentence; undefined for a card written by the user. */
  readonly assumed: string | undefined
}

/** Largest data card, in bytes. */
const CARD_LIMIT = 2 ** 20

/**
 * The card for `path`: a `.json` card, a `.npy` file, a `.tar` of pictures, or a folder of pictures or of `.npy` files.
 * `inputShape` is the network input's shape without the batch axis; pictures need it to be [1 or 3, height, width] or
 * [height, width, 1 or 3]. Where both fit, the channels are taken to come first.
 * Throws `refused` for a path that is none of these, a card that is not valid, or pictures for another input shape.
 */
export async function cardForPath(
  path: string,
  inputShape: readonly number[],
  files: FileAccess,
): Promise<CardForPath> {
  const { folder, file } = splitPath(path.replace(/(?<=.)[/\\]+$/, ''))
  if (/\.json$/i.test(file)) return { card: await readCard(path, files), folder, assumed: undefined }
  if (/\.npy$/i.test(file)) return npyCard({ file }, folder, inputShape)
  if (/\.tar$/i.test(file)) return pictureCard({ tar: file }, folder, inputShape)
  const names = await files.list(path)
  const arrays = names.some((name) => /^[^.].*\.npy$/i.test(name))
  const pictures = names.some(isPictureName)
  if (arrays === pictures)
    throw new DyadicError(
      'refused',
      arrays
        ? `${quoted(path)} holds both pictures and .npy files; give a data card (.json) that says which are meant`
        : `${quoted(path)} holds neither pictures (.jpg, .png, .webp) nor .npy files; give such a folder or a data card (.json)`,
    )
  return arrays ? npyCard({ folder: file }, folder, inputShape) : pictureCard({ folder: file }, folder, inputShape)
}

async function readCard(path: string, files: FileAccess): Promise<DataCard> {
  const bytes = await files.read(path, CARD_LIMIT)
  return parseDataCard(parseStrictJson(bytes, `data card ${quoted(path)}`), path)
}

function npyCard(
  where: { file: string } | { folder: string },
  folder: string,
  inputShape: readonly number[],
): CardForPath {
  return {
    card: { schema: 1, samples: { kind: 'npy', ...where, shape: [...inputShape] } },
    folder,
    assumed: 'the .npy numbers are taken as the real input of the network, without scaling',
  }
}

function pictureCard(
  where: { tar: string } | { folder: string },
  folder: string,
  inputShape: readonly number[],
): CardForPath {
  const [first, second, third] = inputShape
  const isChannelCount = (size: number | undefined): boolean => size === 1 || size === 3
  const last = !isChannelCount(first)
  if (inputShape.length !== 3 || (last && !isChannelCount(third)))
    throw new DyadicError(
      'refused',
      `${quoted(folder)}: pictures cannot be the input [${inputShape}] by themselves ` +
        '(wanted [3 or 1, height, width] or [height, width, 3 or 1]); give a data card (.json) or .npy files',
    )
  const [channels, height, width] = (last ? [third, first, second] : [first, second, third]) as [number, number, number]
  const size: [number, number] = [height, width]
  const square = height === width
  return {
    card: {
      schema: 1,
      samples: { kind: 'images', ...where },
      image: {
        ...(square ? { resizeShorterSide: size[0], crop: size } : { resize: size }),
        channels: channels === 1 ? 'gray' : 'rgb',
        ...(last && { layout: 'hwc' as const }),
      },
      input: { divide: 255 },
    },
    folder,
    assumed:
      `pictures are resized ${square ? `to a shorter side of ${height} and cut to their middle` : `to ${width} × ${height}`}, ` +
      `read as ${channels === 1 ? 'grey' : 'RGB'} and scaled to 0..1; write a data card if the network was trained otherwise`,
  }
}
