/** From the DATA that a user names to an opened data set: a data card, or a default card whose assumptions are said aloud. */
import { stat } from 'node:fs/promises'
import { cardForPath } from '../data/card-for-path.ts'
import type { DataSet } from '../data/data-set.ts'
import type { ImageDecoder } from '../data/image-decoder.ts'
import { checkLabels } from '../data/labels.ts'
import { nodeFiles } from '../data/node-files.ts'
import { openDataSet } from '../data/open.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Session } from './session.ts'

/** The decoder's native library is loaded when the first picture is read. */
const decodeImage: ImageDecoder = async (bytes, where) =>
  (await import('../data/node-image-decoder.ts')).decodeImage(bytes, where)

/**
 * Opens DATA for a network input of `shape` (without the batch axis, in ONNX order). Throws `refused` for data that cannot
 * be read; messages name the path.
 */
export async function openData(path: string, shape: readonly number[], session: Session): Promise<DataSet> {
  // What is no folder must say by its name what it is.
  const file = !/\.(json|npy|tar)$/i.test(path) && (await stat(path).catch(() => undefined))?.isFile()
  if (file)
    throw new DyadicError(
      'refused',
      `${quoted(path)} holds no samples: give a data card (.json), a folder of pictures or of .npy files, an .npy file or a .tar of pictures`,
    )
  const { card, folder, assumed } = await cardForPath(path, shape, nodeFiles)
  if (assumed !== undefined) session.note(`note: ${quoted(path)}: ${assumed}`)
  return session.interruptible(await openDataSet(card, { files: nodeFiles, decodeImage, folder }))
}

/**
 * Opens labelled DATA for a network that gives `classes` scores. Throws `refused` when a sample has no label, or one that is
 * no index of the scores.
 */
export async function openLabelled(
  path: string,
  shape: readonly number[],
  classes: number,
  session: Session,
): Promise<DataSet> {
  const set = await openData(path, shape, session)
  // A set has labels for all of its samples or for none.
  if (set.label(0) === undefined)
    throw new DyadicError('refused', `${quoted(path)} has no labels; give a data card (.json) with "labels"`)
  checkLabels(set, classes)
  return set
}

/** The one input and the one output that data with one label per sample can serve. Throws `unsupported` otherwise. */
export function singlePorts(
  path: string,
  inputs: readonly string[],
  outputs: readonly string[],
): { input: string; output: string } {
  const many = (kind: string, names: readonly string[]): DyadicError =>
    new DyadicError(
      'unsupported',
      `${quoted(path)} has ${names.length} ${kind} (${names.slice(0, 8).map(quoted).join(', ')}); a data set serves networks with one`,
    )
  if (inputs.length !== 1) throw many('inputs', inputs)
  if (outputs.length !== 1) throw many('outputs', outputs)
  return { input: inputs[0], output: outputs[0] }
}
