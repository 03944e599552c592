/** Times of a program's operators as `bench` prints them, slowest first. */
import { quoted } from '../error.ts'
import { integer, percent, table } from './format.ts'

/** One operator: what it is, the kernels it calls, its time and its multiply-accumulates. */
export interface OperatorTime {
  /** Empty where nothing names it. */
  readonly name: string
  readonly kind: string
  /** Each once, in order. */
  readonly kernels: readonly string[]
  readonly milliseconds: number
  /** 0 for what multiplies nothing. */
  readonly macs: number
}

/** Milliseconds of all operators, one after the other. */
export function summed(times: readonly OperatorTime[]): number {
  return times.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
}

/** The same with each operator's share of the sum, 0 … 1, and its billions of multiply-accumulates per second, 0 for none. */
export function withRates(times: readonly OperatorTime[]): (OperatorTime & { share: number; gigamacs: number })[] {
  const all = summed(times)
  return times.map((time) => ({
    ...time,
    share: all === 0 ? 0 : time.milliseconds / all,
    gigamacs: time.milliseconds === 0 ? 0 : time.macs / time.milliseconds / 1e6,
  }))
}

/** A table with a line per operator. */
export function timesTable(times: readonly OperatorTime[]): string {
  const rows = withRates(times)
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .map(({ name, kind, kernels, milliseconds, share, macs, gigamacs }) => [
      name === '' ? '-' : quoted(name),
      kind,
      kernels.join(', '),
      milliseconds.toFixed(4),
      percent(share),
      macs > 0 ? integer(macs) : '',
      gigamacs > 0 ? gigamacs.toFixed(1) : '',
    ])
  return table(['name', 'instruction', 'kernels', 'ms', 'share', 'MACs', 'GMAC/s'], rows)
}
