/**
 * What a command works with while it runs: notes and progress for people, and the way in which Ctrl-C ends it. Data loops
 * ask the signal; work that cannot be asked runs with the system's own handling, which ends the process at once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DataSet } from '../data/data-set.ts'
import { createProgress, type Progress } from './progress.ts'

/** The process as the commands see it. */
export interface Host {
  readonly writeOut: (text: string) => void
  readonly writeError: (text: string) => void
  /** Whether stderr is a terminal that may be rewritten. */
  readonly isTerminal: boolean
  readonly columns: number
  /** Milliseconds from any fixed moment. */
  readonly clock: () => number
  /** Installs or removes (undefined) what happens on Ctrl-C; removed, the system ends the process. */
  readonly onInterrupt: (action: (() => void) | undefined) => void
  /** The working folder, and the variables of the environment. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether errors are shown with their stack trace. */
  readonly debug: boolean
}

export interface Session {
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly clock: () => number
  /** The working folder. */
  readonly folder: string
  /** One sentence for people on stderr; not under `--quiet`. */
  note(text: string): void
  /** Synchronous work as a stage of its own. */
  blocking<Result>(stage: string, work: () => Result): Promise<Result>
  /** The same data set, whose `read` lets Ctrl-C through. */
  interruptible(set: DataSet): DataSet
  /** Ends the session's handling of Ctrl-C. */
  close(): void
}

/** Longest time a data loop runs without letting the system's signals through. */
const TURN_MS = 50

export function openSession(host: Host, quiet: boolean): Session {
  const { clock } = host
  const controller = new AbortController()
  const { signal } = controller
  // The second Ctrl-C finds no action and ends the process.
  const interrupt = (): void => {
    host.onInterrupt(undefined)
    controller.abort()
  }
  host.onInterrupt(interrupt)
  const progress = createProgress({
    write: host.writeError,
    isTerminal: host.isTerminal,
    columns: host.columns,
    quiet,
    clock,
  })
  return {
    progress,
    signal,
    clock,
    folder: host.folder,
    note(text) {
      if (quiet) return
      progress.end()
      host.writeError(`${text}\n`)
    },
    async blocking(stage, work) {
      progress.begin(stage)
      await nextTurn()
      signal.throwIfAborted()
      host.onInterrupt(undefined)
      try {
        return work()
      } finally {
        host.onInterrupt(interrupt)
        progress.end()
      }
    },
    interruptible(set) {
      let turned = clock()
      return {
        ...set,
        async read(index) {
          if (clock() - turned > TURN_MS) {
            await nextTurn()
            turned = clock()
          }
          signal.throwIfAborted()
          return set.read(index)
        },
      }
    },
    close: () => host.onInterrupt(undefined),
  }
}
