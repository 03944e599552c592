/**
 * Work for children: every job goes to one child after the other, each under a time limit; a child that exceeds it, dies, or
 * has grown beyond the memory limit is replaced, and the job that it had is reported as what happened to it.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Limits {
  readonly milliseconds: number
  readonly mebibytes: number
}

export type Fate<Answer> = { readonly answer: Answer; readonly peakMebibytes: number } | { readonly died: string }

/** Peak resident memory of a process since it started, in MiB; 0 where the system does not say. */
function peakOf({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Math.ceil(Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}

/** Sends every job to children that run `script`, and returns what became of each, in order. */
export async function runLimited<Job extends object, Answer>(
  script: string,
  jobs: readonly Job[],
  limits: Limits,
): Promise<Fate<Answer>[]> {
  let child: ChildProcess | undefined
  const start = (): ChildProcess =>
    fork(script, {
      execArgv: [`--max-old-space-size=${limits.mebibytes}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  const fates: Fate<Answer>[] = []
  for (const [index, job] of jobs.entries()) {
    const worker = child ?? start()
    child = worker
    const fate = await new Promise<Fate<Answer>>((resolve) => {
      const settle = (result: Fate<Answer>): void => {
        clearTimeout(timer)
        worker.removeAllListeners('message').removeAllListeners('exit')
        resolve(result)
      }
      const timer = setTimeout(() => {
        worker.kill('SIGKILL')
        settle({ died: `no answer within ${limits.milliseconds} ms` })
      }, limits.milliseconds)
      worker.on('message', (answer) => settle({ answer: answer as Answer, peakMebibytes: peakOf(worker) }))
      worker.on('exit', (code, signal) => settle({ died: `the process ended (${signal ?? code})` }))
      worker.send({ index, ...job })
    })
    fates.push(fate)
    // Memory is counted over a child's life: one that has used half of it makes room for the next.
    if ('died' in fate || fate.peakMebibytes > limits.mebibytes / 2) {
      worker.kill('SIGKILL')
      child = undefined
    }
  }
  child?.kill()
  return fates
}
