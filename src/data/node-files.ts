/**
 * File access on Node. Paths may point anywhere the user may read; they are made canonical first. Only regular files are
 * read, opened without blocking, and never more bytes than the limit and the size that was checked.
 */
import { constants } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DyadicError, quoted } from '../error.ts'
import { compareCodePoints } from './order.ts'
import type { NestedFileAccess } from './sample-kind.ts'

/** Bytes that a file may have when the caller gives no limit: 1 GiB. */
export const DEFAULT_FILE_LIMIT = 2 ** 30
/** Names in one folder. */
const MOST_NAMES = 2 ** 21

/** File access on `node:fs`. */
export const nodeFiles: Required<NestedFileAccess> = {
  async read(path, limit = DEFAULT_FILE_LIMIT) {
    const canonical = await attempt(path, () => realpath(path))
    const handle = await attempt(path, () => open(canonical, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
    try {
      const status = await attempt(path, () => handle.stat())
      if (!status.isFile())
        throw refuse(path, status.isDirectory() ? 'it is a folder, a file is needed' : 'it is not a regular file')
      if (status.size > limit) throw refuse(path, `it has ${status.size} bytes, at most ${limit} are read`)
      const bytes = new Uint8Array(status.size)
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await attempt(path, () => handle.read(bytes, at, bytes.length - at, at))
        if (bytesRead === 0) throw refuse(path, 'it became shorter while it was read')
        at += bytesRead
      }
      return bytes
    } finally {
      await handle.close()
    }
  },
  list: (folder) => names(folder, 'file'),
  listFolders: (folder) => names(folder, 'folder'),
}

/** Names of one sort in a folder; links count as what they point to, and dangling ones as nothing. */
async function names(folder: string, sort: 'file' | 'folder'): Promise<string[]> {
  const canonical = await attempt(folder, () => realpath(folder))
  const entries = await attempt(folder, () => readdir(canonical, { withFileTypes: true }))
  if (entries.length > MOST_NAMES)
    throw refuse(folder, `it has ${entries.length} entries, at most ${MOST_NAMES} are read`)
  const found: string[] = []
  for (const entry of entries) {
    const status = entry.isSymbolicLink() ? await stat(join(canonical, entry.name)).catch(() => undefined) : entry
    if (sort === 'file' ? status?.isFile() : status?.isDirectory()) found.push(entry.name)
  }
  return found.sort(compareCodePoints)
}

const REASONS = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EACCES', 'you may not read it'],
  ['EPERM', 'you may not read it'],
  ['ELOOP', 'its links go in a circle'],
])

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    throw refuse(path, REASONS.get(String(code)) ?? `it cannot be read (${String(code)})`, error)
  }
}

function refuse(path: string, what: string, cause?: unknown): DyadicError {
  return new DyadicError('refused', `${quoted(path)}: ${what}`, { cause })
}
