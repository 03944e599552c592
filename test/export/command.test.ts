/** `dyadic export` as a user runs it: every format, reading its own files, and what it refuses. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALIBRATE, dyadic, MODEL } from '../cli/command-line.ts'

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dyadic-export-'))
  const words = [
    'quantize',
    MODEL,
    '--calibrate',
    CALIBRATE,
    '--samples',
    '8',
    '--method',
    'none',
    '-o',
    'plan.json',
    '-q',
  ]
  const { code, stderr } = await dyadic(folder, words)
  expect([code, stderr]).toEqual([0, ''])
}, 30_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('dyadic export', () => {
  it.each([
    ['qdq', 'glyphs.qdq.onnx'],
    ['qoperator', 'glyphs.qoperator.onnx'],
    ['qonnx', 'glyphs.qonnx.onnx'],
    ['c', 'glyphs.h'],
  ])('--format %s writes %s and says so as JSON', async (format, file) => {
    const words = ['export', MODEL, '--plan', 'plan.json', '--format', format]
    const { code, stdout } = await dyadic(folder, [...words, '--json', '-q'])
    expect(code).toBe(0)
    const bytes = readFileSync(join(folder, file))
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, command: 'export', out: file, format, bytes: bytes.length })
  })

  it('reads what it writes: the file compiles without samples', async () => {
    expect((await dyadic(folder, ['export', MODEL, '--plan', 'plan.json', '-o', 'own.onnx', '-q'])).code).toBe(0)
    const { code, stdout } = await dyadic(folder, ['compile', 'own.onnx', '--json', '-q'])
    expect([code, (JSON.parse(stdout) as { floatOpcodes: number }).floatOpcodes]).toEqual([0, 0])
  })

  it.each([
    [['--format', 'tflite'], 2, /Allowed choices are qdq, qoperator, qonnx, c/],
    [['--plan', 'plan.json', '--weights', 's4'], 2, /--plan has all the numbers; --weights would change nothing/],
    [[], 2, /is a float network: give --calibrate <data>/],
  ])('refuses %j with exit code %i', async (words, exit, pattern) => {
    const { code, stderr } = await dyadic(folder, ['export', MODEL, ...words])
    expect(stderr).toMatch(pattern)
    expect(code).toBe(exit)
  })
})
