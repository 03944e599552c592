/** `dyadic bench model.gpu`: how long a WebGPU program takes on this machine's GPU, dispatch by dispatch. */
import { nodeFiles } from '../data/node-files.ts'
import { parseStrictJson } from '../data/strict-json.ts'
import { DyadicError, quoted } from '../error.ts'
import { checkTiles, type GpuNetwork, type GpuTiles, load } from '../runtime/gpu/index.ts'
import { MAGIC } from '../runtime/gpu/program.ts'
import { readGpuProgram } from '../runtime/gpu/read-program.ts'
import type { CommandResult } from './command.ts'
import { counted, fields, integer, milliseconds, percent, table } from './format.ts'
import { gpuComplaint, openGpu } from './gpu-device.ts'
import { timeDispatches, warmUp } from './gpu-times.ts'
import type { Session } from './session.ts'
import { tuneTiles } from './tune-gpu.ts'
import { tuningResult } from './tune-report.ts'
import { checkOutputs, writeFiles } from './write-file.ts'

const LARGEST_TILES = 2 ** 24
const RUNS = 9

/** Whether a file is meant as a GPU program: by its bytes, or by its name when they say nothing. */
export function isGpuProgram(path: string, bytes: Uint8Array): boolean {
  return MAGIC === String.fromCharCode(...bytes.subarray(0, MAGIC.length)) || /\.gpu$/i.test(path)
}

export interface GpuBench {
  readonly path: string
  readonly bytes: Uint8Array
  /** Images of a run. */
  readonly batch: number
  /** A file of tiles to begin with. */
  readonly tiles?: string
  /** Times every shader that could take a product's place, and finds the fastest. */
  readonly tune: boolean
  /** Where the table that was found goes. */
  readonly out?: string
}

/** A table of tiles. Throws `refused` naming the file and what is wrong with it. */
async function readTiles(path: string): Promise<GpuTiles> {
  const value = parseStrictJson(await nodeFiles.read(path, LARGEST_TILES), `${quoted(path)}: a table of tiles`)
  try {
    return checkTiles(value)
  } catch (cause) {
    throw new DyadicError('refused', `${quoted(path)}: ${(cause as Error).message}`, { cause })
  }
}

/** A table as a file: a line per rule. */
function tilesText({ rules, ...rest }: GpuTiles): string {
  const lines = rules.map((rule) => `    ${JSON.stringify(rule)}`)
  return `${JSON.stringify(rest).slice(0, -1)},\n  "rules": [\n${lines.join(',\n')}\n  ]\n}\n`
}

const STORED = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array }

/** Median milliseconds of a run on zeros, or on what is nearest to zero. */
async function timeRuns({ inputs, batch, runInteger }: GpuNetwork, { clock, signal }: Session): Promise<number> {
  const stored = Object.fromEntries(
    inputs.map(({ name, format, count, range }) => {
      const code = range === undefined ? 0 : Math.max(range.low, Math.min(range.high, 0))
      return [name, new STORED[format](count * batch).fill(code)]
    }),
  )
  await warmUp(() => runInteger(stored), clock, signal)
  const spans: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = clock()
    await runInteger(stored)
    spans.push(clock() - start)
    signal.throwIfAborted()
  }
  return spans.sort((a, b) => a - b)[RUNS >> 1]
}

/** Throws as `openGpu`, `limit` for what the device cannot hold, `refused` for files that are not what they should be. */
export async function benchGpu(request: GpuBench, session: Session): Promise<CommandResult> {
  const { path, bytes, batch, tune, out } = request
  const tiles = request.tiles === undefined ? undefined : await readTiles(request.tiles)
  let header: ReturnType<typeof readGpuProgram>['header']
  try {
    header = readGpuProgram(bytes).header
  } catch (cause) {
    throw gpuComplaint(path, cause)
  }
  if (out !== undefined) await checkOutputs([out], [path, ...(request.tiles === undefined ? [] : [request.tiles])])
  const opened = await openGpu(session.folder)
  try {
    const open = (other?: GpuTiles): Promise<GpuNetwork> => load(bytes, { ...opened, batch, tiles: other ?? tiles })
    if (tune) {
      const tuning = await tuneTiles(header, batch, open, session)
      if (out !== undefined) {
        await writeFiles([{ path: out, content: tilesText(tuning.tiles) }], session.signal)
        session.note(`wrote ${quoted(out)}`)
      }
      return tuningResult(path, batch, tuning)
    }
    const network = await open()
    session.progress.begin('time')
    const run = await timeRuns(network, session)
    const times = await timeDispatches(network.session, session.clock, session.signal)
    session.progress.end()
    network.destroy()
    const sum = times.reduce((total, time) => total + time, 0)
    const rows = header.dispatches.map(({ name, family }, index) => ({
      ...{ name, family, shader: network.session.shaders[index].name, microseconds: times[index] },
      share: sum === 0 ? 0 : times[index] / sum,
    }))
    const { adapter, level, refused } = network
    return {
      json: { model: path, adapter, level, refused, batch, runMilliseconds: run, dispatches: rows },
      text:
        `${quoted(path)}: runs of ${counted(batch, 'image')} on ${quoted(adapter)}, medians\n` +
        fields([
          ['run', `${milliseconds(run)}, inputs written and outputs read`],
          ['one by one', `${milliseconds(sum / 1000)} in ${integer(rows.length)} dispatches`],
          ...refused.map(({ name, reason }): [string, string] => ['refused', `${name}: ${quoted(reason)}`]),
        ]) +
        `\n${table(
          ['name', 'family', 'shader', 'µs', 'share'],
          rows
            .toSorted((a, b) => b.microseconds - a.microseconds)
            .map((row) => [
              row.name === '' ? '-' : quoted(row.name),
              quoted(row.family),
              quoted(row.shader),
              row.microseconds.toFixed(1),
              percent(row.share),
            ]),
        )}`,
    }
  } catch (cause) {
    throw session.signal.aborted ? cause : gpuComplaint(path, cause)
  } finally {
    opened.device.destroy()
  }
}
