/** Every bench that has a command says how it is used, and what is wrong with an option. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const run = (name: string, word: string) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(`../bench/${name}/main.mjs`, import.meta.url)), word], {
    encoding: 'utf8',
  })

describe.each(['real', 'speed', 'hosts', 'bundlers', 'fuzz', 'conformance'])('bench/%s', (name) => {
  it('prints its help', () => {
    const { status, stdout, stderr } = run(name, '--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(name === 'speed' ? 'bench/speed' : name)
    expect(stdout).toMatch(/--\w+[\s\S]*Exit code/)
  })

  it('names an option that it does not have, without a stack', () => {
    const { status, stdout, stderr } = run(name, '--colour')
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Unknown option '--colour'.*\nTry --help\.\n$/)
  })
})
