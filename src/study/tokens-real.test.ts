/** A language model studied token by token: the figures of the study that feeds whole stories, from windows that are filled up. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseDataCard } from '../data/card.ts'
import { nodeFiles } from '../data/node-files.ts'
import { openDataSet } from '../data/open.ts'
import { fuse } from '../graph/fuse.ts'
import { simplify } from '../graph/simplify.ts'
import { parseOnnx } from '../onnx/index.ts'
import { FLOAT_ARITHMETIC } from './arithmetic.ts'
import { prepareRun } from './run.ts'
import { storeSamples } from './samples.ts'
import { type ScoreTable, scoreAgainst } from './score.ts'

const folder = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url))
const present = existsSync(folder)
if (!present && process.env.CI !== 'true')
  console.warn('The language model is not here (../shared/models beside the repository): its study is skipped.')

describe.skipIf(!present && process.env.CI !== 'true')('stories260K, token by token', () => {
  it('has the likelihood and the right answers of whole stories', async () => {
    const samples = { kind: 'tokens', file: 'tinystories_sample.ids.json', window: 512, pad: 0 }
    const set = await openDataSet(parseDataCard({ schema: 1, samples }, 'stories'), { files: nodeFiles, folder })
    const bytes = new Uint8Array(readFileSync(`${folder}/stories260K.onnx`))
    const graph = fuse(simplify(parseOnnx(bytes, { bind: { T: 512 } })))
    const stored = await storeSamples(set)
    const run = prepareRun({ graph, samples: stored, statistics: undefined }, FLOAT_ARITHMETIC)
    const scores = new Float32Array(stored.labels.length * run.classes)
    for (let index = 0; index < stored.length; index++)
      scores.set(run.scores(index), index * stored.answers * run.classes)
    const table: ScoreTable = { classes: run.classes, scores }
    const score = scoreAgainst(table, table, stored.labels)
    expect([stored.length, stored.answers, run.classes]).toEqual([5, 512, 512])
    expect(score).toMatchObject({ total: 1804, correct: 1174 })
    expect(score.nll.toFixed(4)).toBe('1.2664')
  }, 60_000)
})
