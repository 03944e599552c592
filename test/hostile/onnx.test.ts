/** The hostile ONNX files, each read in a child with two seconds and 512 MiB. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dyadic } from '../cli/command-line.ts'
import { type Fate, runLimited } from './limited-child.ts'
import { type ListedCase, onnxCorpus, writeCorpus } from './onnx-corpus.ts'

interface Answer {
  readonly milliseconds: number
  readonly polluted: boolean
  readonly accepted: boolean
  readonly y?: readonly number[]
  readonly code?: string
  readonly message?: string
}

const LIMITS = { milliseconds: 30_000, mebibytes: 512 }
/** The promise, of time computed; the limit above leaves room for a busy machine before a child is killed. */
const PROMISED_MS = 2000
const CODES = ['refused', 'unsupported', 'limit']

const folder = mkdtempSync(join(tmpdir(), 'dyadic-hostile-'))
let listed: ListedCase[]
let fates: Fate<Answer>[]

beforeAll(async () => {
  listed = writeCorpus(onnxCorpus, folder)
  const script = fileURLToPath(new URL('read-models.mjs', import.meta.url))
  const jobs = listed.map(({ file, result }) => ({ path: join(folder, file), x: result?.x }))
  fates = await runLimited<(typeof jobs)[number], Answer>(script, jobs, LIMITS)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Cases, as lines for a failing test, whose answer `isWrong`. */
function wrongCases(isWrong: (answer: Answer, one: ListedCase) => string | false): string[] {
  return listed.flatMap((one, index) => {
    const fate = fates[index]
    const problem = 'died' in fate ? false : isWrong(fate.answer, one)
    return problem === false ? [] : [`${one.file} (${one.wrong}): ${problem}`]
  })
}

describe('hostile ONNX files', () => {
  it('are many, of every group, with controls among them', () => {
    const groups = new Map<string, number>()
    for (const { group } of listed) groups.set(group, (groups.get(group) ?? 0) + 1)
    expect(listed.length).toBeGreaterThanOrEqual(200)
    expect(groups.size).toBe(12)
    expect(listed.filter(({ expected, result }) => expected === 'accepted' && result).length).toBeGreaterThanOrEqual(15)
  })

  it('end no process, within time and memory', () => {
    const lost = listed.flatMap(({ file, wrong }, index) => {
      const fate = fates[index]
      if ('died' in fate) return [`${file} (${wrong}): ${fate.died}`]
      if (fate.answer.milliseconds > PROMISED_MS)
        return [`${file} (${wrong}): ${Math.round(fate.answer.milliseconds)} ms`]
      return fate.peakMebibytes > LIMITS.mebibytes ? [`${file} (${wrong}): ${fate.peakMebibytes} MiB`] : []
    })
    expect(lost).toEqual([])
  })

  it('are refused before anything runs, or accepted, as the manifest says', () => {
    expect(
      wrongCases(({ accepted, message }, { expected }) =>
        expected === 'either' || accepted === (expected === 'accepted') ? false : (message ?? 'it was accepted'),
      ),
    ).toEqual([])
  })

  it('are refused by one class of error, with a stable code', () => {
    expect(
      wrongCases(({ accepted, code = '', message }) => !accepted && !CODES.includes(code) && `${code}: ${message}`),
    ).toEqual([])
  })

  it('are refused in short messages without control characters', () => {
    expect(
      wrongCases(({ message = '' }) => Buffer.byteLength(message) > 4096 && `${Buffer.byteLength(message)} bytes`),
    ).toEqual([])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a message must not have any
    const control = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/
    expect(wrongCases(({ message = '' }) => control.test(message) && JSON.stringify(message))).toEqual([])
  })

  it('are refused in messages that name the element or the cause', () => {
    expect(
      wrongCases(({ accepted, message = '' }, { words }) => {
        const text = message.toLowerCase()
        return !accepted && words.length > 0 && !words.some((word) => text.includes(word.toLowerCase())) && message
      }),
    ).toEqual([])
  })

  it('leave the prototypes of objects as they were', () => {
    expect(wrongCases(({ polluted }) => polluted && 'Object.prototype has changed')).toEqual([])
  })

  it('that are honest give the exact result', () => {
    expect(
      wrongCases(
        ({ y }, { result }) => result !== undefined && String(y) !== String(result.y) && `${y} is not ${result.y}`,
      ),
    ).toEqual([])
  })
})

describe('the command line', () => {
  const model = (name: string): string => join(folder, listed.find(({ file }) => file.includes(name))?.file as string)

  it('reads external data beside the model, and nothing else', async () => {
    const plain = await dyadic(folder, ['inspect', model('external-plain'), '--json'])
    expect([plain.code, JSON.parse(plain.stdout).parameters]).toEqual([0, 4])
    const hard = await dyadic(folder, ['inspect', model('external-hard-link')])
    expect([hard.code, hard.stderr]).toEqual([1, expect.stringContaining('is a hard link')])
  })

  it('takes limits by name', async () => {
    const limited = await dyadic(folder, ['inspect', model('control-honest'), '--limits', 'nodes=1'])
    expect([limited.code, limited.stderr]).toEqual([3, expect.stringContaining('(limit "nodes")')])
    const prepared = await dyadic(folder, ['inspect', model('control-honest'), '--limits', 'preparedNodes=1,nodes=9'])
    expect([prepared.code, prepared.stderr]).toEqual([3, expect.stringContaining('(limit "preparedNodes")')])
    const unknown = await dyadic(folder, ['inspect', model('control-honest'), '--limits', 'node=1'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('limits are fileBytes, nodes')])
  })
})
