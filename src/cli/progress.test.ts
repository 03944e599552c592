import { describe, expect, it } from 'vitest'
import { createProgress } from './progress.ts'

/** Progress over a clock that the test turns. */
function record(settings: { isTerminal: boolean; quiet?: boolean; columns?: number }) {
  let now = 0
  let text = ''
  const progress = createProgress({
    write: (more) => {
      text += more
    },
    clock: () => now,
    quiet: false,
    columns: 80,
    ...settings,
  })
  return {
    progress,
    at(time: number, done: number, total: number) {
      now = time
      progress.update(done, total)
    },
    text: () => text,
  }
}

describe('progress', () => {
  it('rewrites one line on a terminal and leaves it clean', () => {
    const { progress, at, text } = record({ isTerminal: true })
    progress.begin('calibrate')
    at(10, 1, 100)
    at(500, 50, 100)
    at(550, 55, 100)
    progress.end()
    progress.end()
    expect(text()).toBe('\rcalibrate\u001b[K\rcalibrate 50/100, 100 per second, 0:01 left\u001b[K\r\u001b[K')
  })

  it('never wraps the line', () => {
    const { progress, at, text } = record({ isTerminal: true, columns: 12 })
    progress.begin('evaluate')
    at(4_000_000, 1, 1000)
    expect(text()).toBe('\revaluate\u001b[K\revaluate 1/\u001b[K')
  })

  it('says now and then how far it is elsewhere', () => {
    const { progress, at, text } = record({ isTerminal: false })
    progress.begin('evaluate')
    for (let second = 1; second <= 25; second++) at(second * 1000, second, 3600)
    progress.begin('compile')
    progress.end()
    expect(text()).toBe(
      'evaluate\nevaluate 10/3600, 1.0 per second, 59:50 left\nevaluate 20/3600, 1.0 per second, 59:40 left\n' +
        'evaluate: 25 in 25.0 s\ncompile\n',
    )
  })

  it('is silent when asked to be', () => {
    const { progress, at, text } = record({ isTerminal: true, quiet: true })
    progress.begin('evaluate')
    at(5000, 1, 2)
    progress.end()
    expect(text()).toBe('')
  })
})
