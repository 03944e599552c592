import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeFiles } from './node-files.ts'

const root = mkdtempSync(join(tmpdir(), 'dyadic-files-'))
mkdirSync(join(root, 'inner'))
writeFileSync(join(root, 'b.bin'), Uint8Array.of(1, 2, 3))
writeFileSync(join(root, '\u{1f600}'), '')
writeFileSync(join(root, '\uff5e'), '')
symlinkSync('b.bin', join(root, 'a-link'))
symlinkSync('inner', join(root, 'inner-link'))
symlinkSync('nowhere', join(root, 'dangling'))
symlinkSync('circle', join(root, 'circle'))
execFileSync('mkfifo', [join(root, 'pipe')])
afterAll(() => rmSync(root, { recursive: true }))

describe('nodeFiles', () => {
  it('reads regular files, also through links', async () => {
    expect(await nodeFiles.read(join(root, 'b.bin'))).toEqual(Uint8Array.of(1, 2, 3))
    expect(await nodeFiles.read(join(root, 'inner/../a-link'), 3)).toEqual(Uint8Array.of(1, 2, 3))
    expect(await nodeFiles.read(join(root, '\uff5e'))).toEqual(new Uint8Array())
  })

  it('lists files and folders by code point', async () => {
    expect(await nodeFiles.list(root)).toEqual(['a-link', 'b.bin', '\uff5e', '\u{1f600}'])
    expect(await nodeFiles.listFolders(root)).toEqual(['inner', 'inner-link'])
  })

  it.each([
    ['nothing', /there is no such file/],
    ['inner', /it is a folder/],
    ['pipe', /not a regular file/],
    ['dangling', /there is no such file/],
    ['circle', /links go in a circle/],
    ['b.bin/x', /no folder/],
    ['a\0b', /cannot be read/],
  ])('refuses to read %j', async (name, message) => {
    await expect(nodeFiles.read(join(root, name))).rejects.toThrow(message)
    await expect(nodeFiles.read(join(root, name))).rejects.toMatchObject({ code: 'refused' })
  })

  it('keeps the limit', async () => {
    await expect(nodeFiles.read(join(root, 'b.bin'), 2)).rejects.toThrow(/3 bytes, at most 2/)
  })

  it('refuses to list what is no folder', async () => {
    await expect(nodeFiles.list(join(root, 'b.bin'))).rejects.toThrow(/no folder/)
    await expect(nodeFiles.list(join(root, 'nothing'))).rejects.toThrow(/no such file or folder/)
  })
})
