/** The language model's files, which are not in this repository. */
import { existsSync, readFileSync } from 'node:fs'
import type { Piece } from '../../examples/stories/tokenizer.mjs'

const SHARED = new URL('../../../shared/', import.meta.url)
const MODEL = 'models/stories260k/'

/** Whether tests of the model are to be skipped: where it is missing, except in CI, where they fail. */
export const withoutModel = !existsSync(new URL(MODEL, SHARED)) && process.env.CI !== 'true'
if (withoutModel)
  console.warn(
    `skipped: ${MODEL} is not in ../shared beside the repository; examples/stories/README.md says where from`,
  )

const read = (path: string): Buffer => readFileSync(new URL(path, SHARED))
const readJson = (path: string) => JSON.parse(read(path).toString('utf8'))

export const readWeights = (): Buffer => read(`${MODEL}stories260K.bin`)
export const readStagedOnnx = (): Buffer => read(`${MODEL}stories260K.onnx`)
export const readTokenizer = (): Buffer => read(`${MODEL}tok512.model`)
/** The pieces of the tokenizer, as another reader has them. */
export const readListedPieces = (): Piece[] => readJson(`${MODEL}tok512.json`)
export const readGreedyIds = (): number[] => readJson(`${MODEL}expected_greedy.json`).greedy_ids
/** The stories of the sample text, and their ids from another tokenizer, each cut at 512. */
export const readSample = (): { readonly texts: string[]; readonly ids: number[][] } => ({
  texts: read('data/text/tinystories_sample.txt')
    .toString('utf8')
    .split('<|endoftext|>')
    .map((text) => text.trim())
    .filter((text) => text !== ''),
  ids: readJson(`${MODEL}tinystories_sample.ids.json`).sequences,
})
