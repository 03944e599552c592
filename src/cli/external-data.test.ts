/** Files that somebody exchanges while they are opened; what lies where from the beginning is in test/hostile. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openExternalFiles } from './external-data.ts'

/** What happens right before and right after the file is opened. */
const around = vi.hoisted(() => ({ before: () => {}, after: () => {} }))

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>()
  return {
    ...real,
    openSync: (...given: Parameters<typeof real.openSync>) => {
      around.before()
      const descriptor = real.openSync(...given)
      around.after()
      return descriptor
    },
  }
})

const OURS = Uint8Array.of(1, 2, 3, 4)
const SECRET = Uint8Array.of(9, 9, 9, 9)
let root: string
let below: (...parts: string[]) => string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dyadic-external-'))
  below = (...parts) => join(root, ...parts)
  mkdirSync(below('model', 'data'), { recursive: true })
  mkdirSync(below('private'))
  writeFileSync(below('model', 'data', 'w.bin'), OURS)
  writeFileSync(below('private', 'w.bin'), SECRET)
  Object.assign(around, { before: () => {}, after: () => {} })
})

afterEach(() => {
  Object.assign(around, { before: () => {}, after: () => {} })
  rmSync(root, { recursive: true })
})

function read(): number[] {
  const files = openExternalFiles(below('model', 'net.onnx'))
  try {
    return [...files.read('data/w.bin', 0, 4, 'tensor "w"')]
  } finally {
    files.close()
  }
}

const exchangeFile = () => {
  rmSync(below('model', 'data', 'w.bin'))
  symlinkSync(below('private', 'w.bin'), below('model', 'data', 'w.bin'))
}
const exchangeFolder = () => {
  renameSync(below('model', 'data'), below('kept'))
  symlinkSync(below('private'), below('model', 'data'))
}
const restoreFolder = () => {
  rmSync(below('model', 'data'))
  renameSync(below('kept'), below('model', 'data'))
}
const replaceFile = () => renameSync(below('private', 'w.bin'), below('model', 'data', 'w.bin'))

describe.skipIf(process.platform === 'win32')('external data that is exchanged', () => {
  it('is read where nobody does anything', () => {
    expect(read()).toEqual([...OURS])
  })

  it.each<[string, Partial<typeof around>, string]>([
    ['by a link, before it is opened', { before: exchangeFile }, 'is a symbolic link'],
    ['by a link, after it was opened', { after: exchangeFile }, 'was exchanged while it was opened'],
    ['with its folder, before it is opened', { before: exchangeFolder }, 'was exchanged while it was opened'],
    [
      'with its folder, only while it is opened',
      { before: exchangeFolder, after: restoreFolder },
      'was exchanged while it was opened',
    ],
    ['by another file, after it was opened', { after: replaceFile }, 'was exchanged while it was opened'],
    ['by nothing, after it was opened', { after: () => rmSync(below('model', 'data', 'w.bin')) }, 'does not exist'],
  ])('%s, is refused', (_, hooks, message) => {
    Object.assign(around, hooks)
    expect(read).toThrow(new RegExp(`^tensor "w" keeps its data in the file "data/w.bin", which ${message}`))
  })

  it('is refused where it becomes shorter after its size was looked at', () => {
    const files = openExternalFiles(below('model', 'net.onnx'))
    expect([...files.read('data/w.bin', 0, 2, 'tensor "v"')]).toEqual([1, 2])
    truncateSync(below('model', 'data', 'w.bin'), 2)
    expect(() => files.read('data/w.bin', 0, 4, 'tensor "w"')).toThrow('became shorter while it was read')
    files.close()
  })
})
