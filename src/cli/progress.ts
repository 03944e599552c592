/**
 * Progress for people, on stderr. On a terminal one line is rewritten: stage, done/total, rate, time left. Elsewhere and
 * under CI a plain line says when a stage begins, now and then how far it is, and when it has ended. Quiet says nothing.
 */

export interface ProgressSettings {
  readonly write: (text: string) => void
  /** Whether stderr is a terminal that a line may be rewritten on. */
  readonly isTerminal: boolean
  readonly quiet: boolean
  /** Columns of the terminal. */
  readonly columns: number
  /** Milliseconds from any fixed moment. */
  readonly clock: () => number
}

export interface Progress {
  /** Begins a stage; the one before it has ended. */
  begin(stage: string): void
  /** How far the stage is. */
  update(done: number, total: number): void
  /** Ends the stage, if there is one, and leaves the line clean. */
  end(): void
}

/** Least time between two rewritings of the line, and between two plain lines. */
const TERMINAL_INTERVAL_MS = 100
const PLAIN_INTERVAL_MS = 10_000

/** Seconds as `0:07` or `1:02:03`. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60) % 60
  const hours = Math.floor(seconds / 3600)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** `calibrate 120/256, 310 per second, 0:01 left`. */
function describe(stage: string, done: number, total: number, elapsed: number): string {
  if (elapsed <= 0 || done === 0) return `${stage} ${done}/${total}`
  const rate = (1000 * done) / elapsed
  return `${stage} ${done}/${total}, ${rate >= 10 ? Math.round(rate) : rate.toPrecision(2)} per second, ${duration((total - done) * (elapsed / done))} left`
}

export function createProgress({ write, isTerminal, quiet, columns, clock }: ProgressSettings): Progress {
  let stage: string | undefined
  let started = 0
  let shown = 0
  let counted = 0
  const rewrite = (text: string): void => write(`\r${text.slice(0, Math.max(1, columns - 1))}\u001b[K`)
  return {
    begin(name) {
      if (stage !== undefined) this.end()
      stage = name
      started = clock()
      shown = started
      counted = 0
      if (quiet) return
      if (isTerminal) rewrite(name)
      else write(`${name}\n`)
    },
    update(done, total) {
      counted = done
      if (quiet || stage === undefined) return
      const now = clock()
      if (now - shown < (isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return
      shown = now
      const text = describe(stage, done, total, now - started)
      if (isTerminal) rewrite(text)
      else write(`${text}\n`)
    },
    end() {
      if (stage === undefined) return
      const seconds = ((clock() - started) / 1000).toFixed(1)
      if (!quiet && isTerminal) rewrite('')
      else if (!quiet && counted > 0) write(`${stage}: ${counted} in ${seconds} s\n`)
      stage = undefined
    },
  }
}
