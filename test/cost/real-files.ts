/** The real networks and published tables beside the repository, which a checkout alone does not have. */
import { existsSync, readFileSync } from 'node:fs'

const SHARED = new URL('../../../shared/', import.meta.url)

/** Whether they are here. Where they must be (CI is set), their absence is a failure. */
export function hasShared(): boolean {
  if (existsSync(SHARED)) return true
  if (process.env.CI)
    throw new Error(
      '../shared beside the repository is missing, and CI is set: the counts of real networks must be tested',
    )
  console.warn('../shared beside the repository is missing: counts are compared with the totals in the tests only.')
  return false
}

/** The bytes of a file below that folder. */
export function readShared(path: string): Uint8Array {
  return readFileSync(new URL(path, SHARED))
}
