/**
 * External data of a model on Node: files below the model's folder and nothing else. The path is made canonical and must be
 * itself (no link on the way), the file is opened without following links and must be regular and have one name, and what
 * was opened must still be what the path names. A hard link could be any file of the system, so it is refused.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DyadicError, quoted } from '../error.ts'
import type { ExternalReader } from '../onnx/index.ts'

export interface ExternalFiles {
  readonly read: ExternalReader
  /** Closes what is open; the reader must not be used afterwards. */
  close(): void
}

interface OpenFile {
  readonly name: string
  readonly descriptor: number
  readonly size: number
}

/** Files below the folder of the model at `path`. One is open at a time. */
export function openExternalFiles(path: string): ExternalFiles {
  let open: OpenFile | undefined
  const close = (): void => {
    if (open !== undefined) closeSync(open.descriptor)
    open = undefined
  }
  const read: ExternalReader = (name, offset, length, what) => {
    if (open?.name !== name) {
      close()
      open = openBelow(dirname(path), name, what)
    }
    const { descriptor, size } = open
    if (offset + length > size)
      throw refuse(what, name, `has ${size} bytes; bytes ${offset} to ${offset + length} are needed`)
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const count = attempt(what, name, () => readSync(descriptor, bytes, at, length - at, offset + at))
      if (count === 0) throw refuse(what, name, 'became shorter while it was read')
      at += count
    }
    return bytes
  }
  return { read, close }
}

function openBelow(folder: string, name: string, what: string): OpenFile {
  const expected = join(
    attempt(what, name, () => realpathSync(folder === '' ? '.' : folder)),
    name,
  )
  if (attempt(what, name, () => realpathSync(expected)) !== expected)
    throw refuse(what, name, 'is reached through a symbolic link')
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  const descriptor = attempt(what, name, () => openSync(expected, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) throw refuse(what, name, status.isDirectory() ? 'is a folder' : 'is not a regular file')
    if (status.nlink > 1) throw refuse(what, name, `is a hard link: it has ${status.nlink} names`)
    // Between the check of the path and the opening, a part of the path may have been exchanged.
    const now = attempt(what, name, () => lstatSync(expected))
    const same = attempt(what, name, () => realpathSync(expected)) === expected
    if (!same || now.ino !== status.ino || now.dev !== status.dev)
      throw refuse(what, name, 'was exchanged while it was opened')
    return { name, descriptor, size: status.size }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

const REASONS = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'lies below something that is no folder'],
  ['EACCES', 'may not be read'],
  ['EPERM', 'may not be read'],
  ['ELOOP', 'is a symbolic link'],
  ['ENXIO', 'is not a regular file'],
  ['EISDIR', 'is a folder'],
  ['ENAMETOOLONG', 'has too long a name'],
])

function attempt<Result>(what: string, name: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    const code = String((error as { code?: unknown }).code)
    throw refuse(what, name, REASONS.get(code) ?? `cannot be read (${code})`, error)
  }
}

function refuse(what: string, name: string, problem: string, cause?: unknown): DyadicError {
  return new DyadicError('refused', `${what} keeps its data in the file ${quoted(name)}, which ${problem}`, { cause })
}
