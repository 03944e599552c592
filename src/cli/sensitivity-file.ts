/** The file in which a search keeps what it has measured, so that an interrupted or a changed search goes on from there. */
import { access } from 'node:fs/promises'
import { nodeFiles } from '../data/node-files.ts'
import { parseStrictJson } from '../data/strict-json.ts'
import { quoted } from '../error.ts'
import { type MeasuredSensitivities, parseSensitivities, printSensitivities } from '../search/measure-sensitivity.ts'
import { writeFiles } from './write-file.ts'

const LARGEST_FILE = 2 ** 26
/** Least time between two writings. */
const INTERVAL_MS = 2000

/** The file beside a plan: `net.plan.json` has `net.sensitivities.json`. */
export function sensitivityFile(plan: string): string {
  return `${plan.replace(/(\.plan)?\.json$/i, '')}.sensitivities.json`
}

/** What a file holds; undefined when there is none. Throws `refused` naming it when it is something else. */
export async function readSensitivities(path: string): Promise<MeasuredSensitivities | undefined> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return undefined
  return parseSensitivities(parseStrictJson(await nodeFiles.read(path, LARGEST_FILE), quoted(path)), quoted(path))
}

/** Keeps a growing record in a file: now and then while it grows, and at the end, interrupted or not. */
export function createKeeper(path: string, clock: () => number) {
  let latest: MeasuredSensitivities | undefined
  let written = clock()
  const write = async (): Promise<void> => {
    if (latest === undefined) return
    // An interruption must not keep the measurements from being written.
    await writeFiles([{ path, content: printSensitivities(latest) }], new AbortController().signal)
    written = clock()
    latest = undefined
  }
  return {
    async keep(sofar: MeasuredSensitivities): Promise<void> {
      latest = sofar
      if (clock() - written > INTERVAL_MS) await write()
    },
    end: write,
  }
}
