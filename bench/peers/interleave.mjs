/**
 * Times contestants side by side: burst by burst in one process, so that whatever else the machine does falls on all.
 *
 * A burst is as many calls as take `minMillisecondsPerBurst`; its figure is the mean time of a call. Contestants take
 * turns, and every round starts with another one. A burst during which the process did not have its core (CPU time
 * below 95 % of wall time) is repeated, at most twice, for every contestant alike. The reported numbers are order
 * statistics over the bursts. Compilers tier up in the background: the warm-up gives each contestant a second or more.
 */
import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform } from 'node:os'

/**
 * @typedef {{ median: number, p10: number, min: number, calls: number, disturbed: number, bursts: number[] }} Timing
 *   Milliseconds per call; `calls` in one burst; `disturbed` bursts that kept sharing their core.
 * @typedef {{ cpu: string, cores: number, instructionSets: string[], platform: string, node: string, v8: string, flags: string[] }} Machine
 */

/** The machine and the engine that the figures belong to. @returns {Machine} */
export function describeMachine() {
  let known = ''
  try {
    known = readFileSync('/proc/cpuinfo', 'latin1').match(/^(?:flags|Features)\s*:\s*(.*)$/m)?.[1] ?? ''
  } catch {
    // Only Linux has the file.
  }
  const relevant = ['avx2', 'avx_vnni', 'avx512bw', 'avx512_vnni', 'asimddp', 'i8mm']
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    instructionSets: known.split(' ').filter((flag) => relevant.includes(flag)),
    platform: `${platform()}-${arch()}`,
    node: process.version,
    v8: process.versions.v8,
    flags: [...process.execArgv],
  }
}

/** Linear interpolation between order statistics. */
export function quantile(sorted, fraction) {
  const position = (sorted.length - 1) * fraction
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below)
}

/** Wall milliseconds of `calls` calls, and whether the process had its core meanwhile. */
async function burst(call, calls) {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  for (let index = 0; index < calls; index += 1) {
    const pending = call()
    if (pending !== undefined) await pending
  }
  const wall = performance.now() - start
  const used = process.cpuUsage(cpuBefore)
  return { wall, undisturbed: (used.user + used.system) / 1000 >= 0.95 * wall }
}

/** Runs for at least `milliseconds`, then says how many calls make a burst. */
async function warmUp(call, milliseconds, minMillisecondsPerBurst) {
  const start = performance.now()
  do await burst(call, 1)
  while (performance.now() - start < milliseconds)
  // The last calls ran in optimised code; the quickest of three is the least disturbed.
  let once = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt += 1) once = Math.min(once, (await burst(call, 1)).wall)
  return Math.max(1, Math.ceil(minMillisecondsPerBurst / Math.max(once, 0.001)))
}

/**
 * @param {Record<string, () => unknown>} contestants A call that returns undefined counts as synchronous and is not awaited.
 * @param {{ bursts?: number, minMillisecondsPerBurst?: number, warmUpMilliseconds?: number }} [options] At least 7 bursts.
 * @returns {Promise<{ machine: Machine, timings: Record<string, Timing> }>}
 */
export async function measure(
  contestants,
  { bursts = 9, minMillisecondsPerBurst = 100, warmUpMilliseconds = 1000 } = {},
) {
  if (bursts < 7) throw new RangeError(`a median wants at least 7 bursts, not ${bursts}`)
  const entries = Object.entries(contestants).map(([name, call]) => ({
    name,
    call,
    calls: 0,
    figures: [],
    disturbed: 0,
  }))
  for (const entry of entries) entry.calls = await warmUp(entry.call, warmUpMilliseconds, minMillisecondsPerBurst)
  for (let round = 0; round < bursts; round += 1) {
    for (let turn = 0; turn < entries.length; turn += 1) {
      const entry = entries[(round + turn) % entries.length]
      let result = await burst(entry.call, entry.calls)
      for (let attempt = 0; attempt < 2 && !result.undisturbed; attempt += 1)
        result = await burst(entry.call, entry.calls)
      if (!result.undisturbed) entry.disturbed += 1
      entry.figures.push(result.wall / entry.calls)
    }
  }
  const timings = {}
  for (const { name, calls, figures, disturbed } of entries) {
    const sorted = [...figures].sort((left, right) => left - right)
    timings[name] = {
      median: quantile(sorted, 0.5),
      p10: quantile(sorted, 0.1),
      min: sorted[0],
      calls,
      disturbed,
      bursts: figures,
    }
  }
  return { machine: describeMachine(), timings }
}
