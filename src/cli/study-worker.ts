/** A thread of a study: gets network and samples once, then parts of the samples under one arithmetic after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { DyadicError, type ErrorCode } from '../error.ts'
import { type Arithmetic, printArithmetic } from '../study/arithmetic.ts'
import { type StudyCost, studyCost } from '../study/cost.ts'
import { prepareRun, type StudyInputs, type StudyRun } from '../study/run.ts'

/** Samples `first` … `last − 1` under an arithmetic. */
export interface StudyTask {
  readonly arithmetic: Arithmetic
  readonly first: number
  readonly last: number
}

/** What a task gives: scores one sample after another, or what went wrong. */
export type StudyAnswer =
  | { readonly classes: number; readonly scores: Float32Array; readonly cost: StudyCost }
  | { readonly code: ErrorCode | undefined; readonly message: string }

const inputs = workerData as StudyInputs
let prepared: { readonly text: string; readonly run: StudyRun; readonly cost: StudyCost } | undefined

function answer({ arithmetic, first, last }: StudyTask): StudyAnswer {
  try {
    const text = printArithmetic(arithmetic)
    if (prepared?.text !== text) {
      // The memory of the one before is let go first.
      prepared = undefined
      const run = prepareRun(inputs, arithmetic)
      prepared = { text, run, cost: studyCost(run.resolved) }
    }
    const { run, cost } = prepared
    const size = run.classes * inputs.samples.answers
    const scores = new Float32Array((last - first) * size)
    for (let index = first; index < last; index++) scores.set(run.scores(index), (index - first) * size)
    return { classes: run.classes, scores, cost }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { code: error instanceof DyadicError ? error.code : undefined, message }
  }
}

parentPort?.on('message', (task: StudyTask) => parentPort?.postMessage(answer(task)))
