/** Threads that run arithmetics over samples. Every sample is computed alone, so their number changes no figure. */
import { Worker } from 'node:worker_threads'
import { DyadicError } from '../error.ts'
import type { Arithmetic } from '../study/arithmetic.ts'
import type { StudyCost } from '../study/cost.ts'
import type { StudyInputs } from '../study/run.ts'
import type { ScoreTable } from '../study/score.ts'
import type { StudyAnswer, StudyTask } from './study-worker.ts'

/** Samples of one task: small enough for progress, large enough that asking costs nothing. */
const PART = 8

export interface StudyPool {
  /** Scores of all samples. Throws what a thread throws, and the signal's reason when it is aborted. */
  run(
    arithmetic: Arithmetic,
    onProgress: (done: number, total: number) => void,
  ): Promise<ScoreTable & { cost: StudyCost }>
  close(): Promise<void>
}

/** One question, one answer. */
function ask(worker: Worker, task: StudyTask): Promise<StudyAnswer> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    const onMessage = (answer: StudyAnswer): void => {
      clear()
      resolve(answer)
    }
    const onError = (error: unknown): void => {
      clear()
      reject(error)
    }
    const onExit = (): void => onError(new Error('a thread of the study ended'))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(task)
  })
}

/** Starts the threads. They hold the process until `close`. */
export function createPool(inputs: StudyInputs, threads: number, signal: AbortSignal): StudyPool {
  const total = inputs.samples.length
  const workers = Array.from(
    { length: Math.min(threads, Math.ceil(total / PART)) },
    () => new Worker(new URL('./study-worker.js', import.meta.url), { workerData: inputs }),
  )
  return {
    async run(arithmetic, onProgress) {
      let next = 0
      let done = 0
      let scores: Float32Array | undefined
      let found: { classes: number; cost: StudyCost } | undefined
      const serve = async (worker: Worker): Promise<void> => {
        while (next < total) {
          signal.throwIfAborted()
          const first = next
          next = Math.min(total, first + PART)
          const last = next
          const answer = await ask(worker, { arithmetic, first, last })
          if ('message' in answer) {
            next = total
            if (answer.code === undefined) throw new Error(answer.message)
            throw new DyadicError(answer.code, answer.message)
          }
          found ??= answer
          const size = answer.scores.length / (last - first)
          scores ??= new Float32Array(total * size)
          scores.set(answer.scores, first * size)
          done += last - first
          onProgress(done, total)
        }
      }
      const outcomes = await Promise.allSettled(workers.map(serve))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) throw failed.reason
      const { classes, cost } = found as { classes: number; cost: StudyCost }
      return { classes, cost, scores: scores as Float32Array }
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
