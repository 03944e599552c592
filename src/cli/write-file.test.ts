import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkOutputs, writeFiles } from './write-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dyadic-write-'))
})
afterEach(() => {
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true })
})
const at = (name: string): string => join(folder, name)
const never = new AbortController().signal

describe('writeFiles', () => {
  it('makes folders, replaces files and leaves nothing else', async () => {
    writeFileSync(at('a'), 'old')
    await writeFiles(
      [
        { path: at('a'), content: 'new' },
        { path: at('b/c/d'), content: Uint8Array.of(1, 2) },
      ],
      never,
    )
    expect(readFileSync(at('a'), 'utf8')).toBe('new')
    expect([...readFileSync(at('b/c/d'))]).toEqual([1, 2])
    expect(readdirSync(folder, { recursive: true }).map(String).sort()).toEqual(['a', 'b', 'b/c', 'b/c/d'])
  })

  it('writes through a link', async () => {
    writeFileSync(at('a'), 'old')
    symlinkSync(at('a'), at('link'))
    await writeFiles([{ path: at('link'), content: 'new' }], never)
    expect(readFileSync(at('a'), 'utf8')).toBe('new')
  })

  it('leaves the old files when one of several cannot be written', async () => {
    writeFileSync(at('a'), 'old')
    writeFileSync(at('file'), '')
    const files = [
      { path: at('a'), content: 'new' },
      { path: at('file/b'), content: 'new' },
    ]
    await expect(writeFiles(files, never)).rejects.toThrow(
      /file\/b": a part of its path is no folder; nothing was written/,
    )
    expect(readFileSync(at('a'), 'utf8')).toBe('old')
    expect(readdirSync(folder).sort()).toEqual(['a', 'file'])
  })

  it('leaves nothing when it is interrupted', async () => {
    await expect(writeFiles([{ path: at('a'), content: 'new' }], AbortSignal.abort())).rejects.toThrow()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('checkOutputs', () => {
  it('passes new and old files', async () => {
    writeFileSync(at('old'), '')
    await checkOutputs([at('old'), at('new/deep/file')], [at('input')])
    expect(readdirSync(folder)).toEqual(['old'])
  })

  it('refuses an input, also behind a link, and one output twice', async () => {
    writeFileSync(at('input'), '')
    symlinkSync(at('input'), at('link'))
    await expect(checkOutputs([at('link')], [at('input')])).rejects.toThrow(/would be overwritten, but it is an input/)
    await expect(checkOutputs([at('x'), join(folder, '.', 'x')], [])).rejects.toThrow(/another output/)
  })

  it('refuses folders, devices and what lies below a file', async () => {
    mkdirSync(at('folder'))
    writeFileSync(at('file'), '')
    await expect(checkOutputs([at('folder')], [])).rejects.toThrow(/it is a folder/)
    await expect(checkOutputs(['/dev/null'], [])).rejects.toThrow(/it is no regular file/)
    await expect(checkOutputs([at('file/x/y')], [])).rejects.toThrow(/a part of its path is no folder/)
  })
})
