/** File access over bytes in memory: for a browser tab (dropped files) and for tests. */
import { DyadicError, quoted } from '../error.ts'
import { compareCodePoints } from './order.ts'
import type { NestedFileAccess } from './sample-kind.ts'

/** File access to `files` by path, as in `pictures/a.jpg`; a folder is what stands before a `/`, `.` the top. */
export function memoryFiles(files: ReadonlyMap<string, Uint8Array>): Required<NestedFileAccess> {
  const plain = (path: string) => path.replace(/^(\.\/)+/, '')
  /** The parts of the paths below a folder, e.g. `['a.jpg']` or `['cats', 'b.jpg']`. */
  const below = (folder: string): string[][] => {
    const start = /^(\.?\/?)$/.test(folder) ? '' : `${plain(folder).replace(/\/+$/, '')}/`
    const inside = [...files.keys()].filter((path) => path.startsWith(start))
    if (inside.length === 0) throw new DyadicError('refused', `${quoted(folder)}: there is no such folder`)
    return inside.map((path) => path.slice(start.length).split('/'))
  }
  const distinct = (names: string[]) => [...new Set(names)].sort(compareCodePoints)
  return {
    async read(path, limit = Number.POSITIVE_INFINITY) {
      const bytes = files.get(plain(path))
      if (bytes === undefined) throw new DyadicError('refused', `${quoted(path)}: there is no such file`)
      if (bytes.length > limit)
        throw new DyadicError('refused', `${quoted(path)}: it has ${bytes.length} bytes, at most ${limit} are read`)
      return bytes
    },
    list: async (folder) => distinct(below(folder).flatMap((parts) => (parts.length === 1 ? parts : []))),
    listFolders: async (folder) => distinct(below(folder).flatMap((parts) => (parts.length > 1 ? [parts[0]!] : []))),
  }
}
