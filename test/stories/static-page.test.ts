/** The server of the examples' pages: the files of one folder, on this machine, and nothing else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveFolder } from '../../examples/static-page.mjs'

describe('serveFolder', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dyadic-static-page-'))
    await writeFile(join(folder, 'index.html'), '<p>page')
    await writeFile(join(folder, 'step.wasm'), Uint8Array.of(0, 97, 115, 109))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('gives out the files with their types', async () => {
    const { address, close } = await serveFolder(folder, 0)
    try {
      const page = await fetch(address)
      expect([page.headers.get('content-type'), await page.text()]).toEqual(['text/html; charset=utf-8', '<p>page'])
      const module = await fetch(`${address}step.wasm`)
      expect(module.headers.get('content-type')).toBe('application/wasm')
      expect([...new Uint8Array(await module.arrayBuffer())]).toEqual([0, 97, 115, 109])
      for (const other of ['none.html', '%2e%2e%2fpackage.json', 'sub/index.html'])
        expect((await fetch(`${address}${other}`)).status, other).toBe(404)
    } finally {
      close()
    }
  })

  it('says that a port is taken', async () => {
    const { address, close } = await serveFolder(folder, 0)
    try {
      await expect(serveFolder(folder, Number(new URL(address).port))).rejects.toThrow(/EADDRINUSE/)
    } finally {
      close()
    }
  })
})
