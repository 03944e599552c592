/** What the float network and its program answer to the same samples, and which of them a report shows. */
import type { DataSet } from '../data/data-set.ts'
import { argmax } from '../evaluate/evaluate.ts'
import { floatPredictor, programPredictor } from '../evaluate/predictors.ts'
import type { Graph } from '../graph/graph.ts'
import { createFastExecutor } from '../reference/fast.ts'
import type { SampleAnswers, ShownAnswer } from '../report/answers-section.ts'
import { pictureOf } from '../report/picture.ts'
import type { Network } from '../runtime/index.ts'

/** Samples that a report shows, and how many of them at most may be such that the answers differ. */
const SHOWN = 16
const MOST_DIFFERENT = 6

export interface AnswerOptions {
  readonly limit: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
  readonly classNames?: readonly string[]
}

/** Whether a network gives one vector of scores: one input, and one output with one axis longer than 1. */
export function givesScores({ inputs, outputs, values }: Graph): boolean {
  const longAxes = (name = ''): readonly number[] => values.get(name)?.shape.filter((size) => size > 1) ?? []
  const [scores, given] = [longAxes(outputs[0]), longAxes(inputs[0])]
  // A vector as long as the one that went in is its reconstruction.
  return inputs.length === 1 && outputs.length === 1 && scores.length === 1 && scores.join() !== given.join()
}

/** The first samples with their answers: the first few that differ, and the first that agree. Throws as the predictors. */
export async function answerSamples(
  graph: Graph,
  network: Network,
  set: DataSet,
  { limit, onProgress, signal, classNames }: AnswerOptions,
): Promise<SampleAnswers> {
  const float = floatPredictor(graph, createFastExecutor(graph), set)
  const integer = programPredictor(network, set)
  const samples = Math.min(limit, set.length)
  const answer = (scores: ArrayLike<number>) => {
    const index = argmax(scores)
    return { index, score: scores[index] }
  }
  const different: (ShownAnswer & { readonly place: number })[] = []
  const alike: typeof different = []
  let agreed = 0
  const correct = { float: 0, integer: 0 }
  for (let place = 0; place < samples; place++) {
    signal?.throwIfAborted()
    const stored = await set.read(place)
    const answers = { float: answer(float(stored)), integer: answer(integer(stored)) }
    const same = answers.float.index === answers.integer.index
    const label = set.label(place)
    if (same) agreed++
    if (label === answers.float.index) correct.float++
    if (label === answers.integer.index) correct.integer++
    const list = same ? alike : different
    if (list.length < (same ? SHOWN : MOST_DIFFERENT)) {
      const picture = pictureOf(stored, set.shape)
      list.push({
        ...{ place, name: set.describe(place), ...answers },
        ...(label !== undefined && { label }),
        ...(picture !== undefined && { picture }),
      })
    }
    onProgress?.(place + 1, samples)
  }
  const shown = [...different, ...alike.slice(0, SHOWN - different.length)].sort((a, b) => a.place - b.place)
  return {
    ...{ data: set.name, samples, agreed, shown: shown.map(({ place: _place, ...rest }) => rest) },
    ...(set.label(0) !== undefined && { correct }),
    ...(classNames && { classNames }),
  }
}
