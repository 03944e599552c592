/** The pictures: CIFAR-10's binary files, and the numbers that the network was trained with. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-index.js'
import { CLASSES } from './classes.mjs'

/** Files for each use: the staged one, and that of the published archive. */
const FILES = {
  calibration: ['train_lossless.bin', 'data_batch_1.bin'],
  test: ['test_a.bin', 'test_batch.bin'],
}
/** Real input = (pixel / 255 − mean) / std, per channel. */
const INPUT = { divide: 255, mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }

/**
 * The first `count` pictures for a use. Throws an `Error` where the folder has no file for it.
 * @param {string} folder @param {keyof typeof FILES} use @param {number} count
 */
export async function openPictures(folder, use, count) {
  const file = FILES[use].find((name) => existsSync(join(folder, name)))
  if (file === undefined)
    throw new Error(
      `${folder} has none of ${FILES[use].join(', ')}. The pictures are not part of this repository: ` +
        'examples/vision-transformer/README.md says where they come from; then name their folder with --data',
    )
  const card = {
    schema: 1,
    name: file,
    samples: { kind: 'cifar', files: [file] },
    labels: { kind: 'inline', classes: CLASSES.length },
    input: INPUT,
    split: { first: count },
  }
  return openDataSet(parseDataCard(card, file), { files: nodeFiles, folder })
}
