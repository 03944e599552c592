/**
 * Results on disk, all or nothing: every file is written whole under a temporary name in its own folder and then renamed,
 * so that a failure or Ctrl-C leaves either the old files or the new ones.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DyadicError, quoted } from '../error.ts'

export interface OutputFile {
  readonly path: string
  readonly content: Uint8Array | string
}

const REASONS = new Map([
  ['EACCES', 'you may not write there'],
  ['EPERM', 'you may not write there'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['ENOENT', 'no folder can be made there'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EEXIST', 'a part of its path is no folder'],
  ['ENAMETOOLONG', 'the name is too long'],
])

function refuse(path: string, cause: unknown): DyadicError {
  if (cause instanceof DyadicError) return cause
  const code = String((cause as { code?: unknown }).code)
  return new DyadicError('refused', `cannot write ${quoted(path)}: ${REASONS.get(code) ?? code}; nothing was written`, {
    cause,
  })
}

/** The file that a path stands for: links are followed, what does not exist stays as it is. */
async function target(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path))
}

/**
 * Checks, before any work, that results may go to `paths`. Throws `usage` when one is an input of the command or is given
 * twice, and `refused` when one exists and is no regular file, or no file can be made there.
 */
export async function checkOutputs(paths: readonly string[], inputs: readonly string[]): Promise<void> {
  const taken = new Map<string, string>()
  for (const input of inputs) taken.set(await target(input), 'an input of this command')
  for (const path of paths) {
    const real = await target(path)
    const other = taken.get(real)
    if (other !== undefined)
      throw new DyadicError('usage', `${quoted(path)} would be overwritten, but it is ${other}; give another name`)
    taken.set(real, 'another output of this command')
    const status = await lstat(real).catch(() => undefined)
    if (status !== undefined && !status.isFile())
      throw new DyadicError(
        'refused',
        `cannot write ${quoted(path)}: ${status.isDirectory() ? 'it is a folder' : 'it is no regular file'}; give the name of a file`,
      )
    await checkFolder(path, real)
  }
}

/** The nearest folder above a path that exists must be one that may be written to. */
async function checkFolder(path: string, real: string): Promise<void> {
  let folder = dirname(real)
  for (;;) {
    const status = await stat(folder).catch((cause) => {
      if (cause.code === 'ENOENT') return undefined
      throw refuse(path, cause)
    })
    if (status?.isDirectory()) break
    if (status !== undefined) throw refuse(path, { code: 'ENOTDIR' })
    folder = dirname(folder)
  }
  await access(folder, constants.W_OK).catch((cause) => {
    throw refuse(path, cause)
  })
}

/** Makes a folder and what is missing above it; each is tried once, since Node's own recursion never ends below /proc. */
async function makeFolder(folder: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(folder).catch((cause) => {
      if (cause.code !== 'EEXIST') throw cause
    })
  try {
    await make()
  } catch (cause) {
    const above = dirname(folder)
    if ((cause as { code?: unknown }).code !== 'ENOENT' || above === folder) throw cause
    await makeFolder(above)
    await make()
  }
}

/** Writes files; folders that do not exist are made. Throws `refused` naming the file, with nothing left behind. */
export async function writeFiles(files: readonly OutputFile[], signal: AbortSignal): Promise<void> {
  const staged: { readonly path: string; readonly temporary: string; readonly final: string }[] = []
  try {
    for (const { path, content } of files) {
      try {
        const final = await target(path)
        await makeFolder(dirname(final))
        const temporary = join(dirname(final), `.${basename(final).slice(0, 100)}.${randomUUID()}.tmp`)
        staged.push({ path, temporary, final })
        const handle = await open(temporary, 'wx')
        try {
          await handle.writeFile(content, { signal })
          await handle.sync()
        } finally {
          await handle.close()
        }
      } catch (cause) {
        throw signal.aborted ? cause : refuse(path, cause)
      }
    }
    signal.throwIfAborted()
    for (const { path, temporary, final } of staged)
      await rename(temporary, final).catch((cause) => {
        throw refuse(path, cause)
      })
  } finally {
    // What cannot be removed must not hide why writing failed.
    for (const { temporary } of staged) await rm(temporary, { force: true }).catch(() => {})
  }
}
