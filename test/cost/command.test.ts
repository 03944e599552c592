/** `dyadic cost`: exact integers for scripts, a table for people, plans, and what is refused. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CALIBRATE, dyadic, MODEL } from '../cli/command-line.ts'
import { hasShared } from './real-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-cost-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
copyFileSync(MODEL, at('model.onnx'))

async function cost(...parameters: string[]) {
  const { code, stdout, stderr } = await dyadic(folder, ['cost', ...parameters, '--json'])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

describe('cost', () => {
  it('prints one object with exact integers', async () => {
    const { layers, totals, program, ...rest } = await cost('model.onnx')
    expect(rest).toEqual({
      schema: 1,
      command: 'cost',
      model: 'model.onnx',
      name: 'glyphs',
      weightsBits: 8,
      activationBits: 8,
      unsupported: [],
    })
    expect(totals).toMatchObject({ weights: 29_904, biases: 272, parameters: 30_176, macs: 2_211_648 })
    expect(totals.bops).toBe(64 * 2_211_648)
    expect(layers[0]).toEqual({
      name: 'stem_relu_out',
      operator: 'dyadic.Conv',
      kind: 'convolution',
      inputShape: [1, 1, 28, 28],
      weightShape: [16, 1, 3, 3],
      outputShape: [1, 16, 28, 28],
      weights: 144,
      biases: 16,
      otherParameters: 0,
      macs: 112_896,
      weightBits: 8,
      inputBits: 8,
      bops: 64 * 112_896,
      weightBytes: 144,
      biasBytes: 64,
      activations: 12_544,
      activationBytes: 12_544,
    })
    expect(program).toMatchObject({ plan: 'nominal', memoryBytes: expect.any(Number) })
  })

  it('takes bits by number', async () => {
    const { totals } = await cost('model.onnx', '--weights-bits', '4', '--activation-bits', '16')
    expect([totals.bops, totals.weightBytes]).toEqual([64 * 2_211_648, 29_904 / 2])
    const float = await cost('model.onnx', '--weights-bits', '32', '--activation-bits', '32')
    expect([float.totals.bops, float.totals.weightBytes]).toEqual([1024 * 2_211_648, 4 * 29_904])
  })

  it('takes the bits of every layer from a plan, and knows its program to the byte', async () => {
    const options = ['--calibrate', CALIBRATE, '--samples', '16', '--method', 'none', '-o', 'plan.json', '-q']
    expect((await dyadic(folder, ['quantize', 'model.onnx', ...options])).code).toBe(0)
    const plan = JSON.parse(readFileSync(at('plan.json'), 'utf8'))
    plan.weights.head_relu_out.format = 's4'
    plan.weights.head_relu_out.scale = plan.weights.head_relu_out.scale.map((scale: number) => (scale * 127) / 7)
    writeFileSync(at('plan.json'), JSON.stringify(plan))
    const { totals, layers, program, plan: path } = await cost('model.onnx', '--plan', 'plan.json')
    expect(path).toBe('plan.json')
    const head = layers.find(({ name }: { name: string }) => name === 'head_relu_out')
    expect([head.weightBits, head.inputBits, head.weightBytes]).toEqual([4, 8, 20_736 / 2])
    expect(totals.bops).toBe(64 * (2_211_648 - head.macs) + 32 * head.macs)

    const compiled = await dyadic(folder, [
      'compile',
      'model.onnx',
      '--plan',
      'plan.json',
      '-o',
      'net.wasm',
      '--json',
      '-q',
    ])
    expect(program.memoryBytes).toBe(JSON.parse(compiled.stdout).memoryBytes)
    const nominal = await cost('model.onnx')
    // Codes of 4 bits lie two in a byte.
    const weightBytes = program.weightBytes + head.weightBytes
    expect(nominal.program).toEqual({ ...program, plan: 'nominal', weightBytes })
  })

  it('prints a table for people, with the total last', async () => {
    const { code, stdout } = await dyadic(folder, ['cost', 'model.onnx'])
    expect(code).toBe(0)
    expect(stdout).toContain('MACs        2.21 M: 2,211,648 per inference\n')
    const [head, first, ...others] = stdout.trimEnd().split('\n').slice(-14)
    expect(head).toMatch(/^ {2}layer +kind +output +parameters +MACs +share +bits +BOPs +weights +values$/)
    expect(first).toMatch(
      /^ {2}"stem_relu_out" +convolution +\[1, 16, 28, 28\] +160 +113 k +5\.10 % +8 × 8 +7\.23 M +208 B +12\.5 kB$/,
    )
    expect(others.at(-1)).toMatch(/^ {2}all +30\.2 k +2\.21 M +100\.00 % +142 M +31\.0 kB +32\.3 kB$/)
  })

  it.skipIf(!hasShared())('counts a network that cannot be compiled, and says so', async () => {
    const path = new URL('../../../shared/models/super-resolution/super_resolution.onnx', import.meta.url).pathname
    const result = await cost(path)
    expect(result.totals.macs).toBe(2_984_869_888)
    if (result.unsupported.length > 0)
      expect(result).toMatchObject({ program: null, programReason: expect.stringContaining('cannot be compiled yet') })
    else expect(result.program.arenaBytes).toBeGreaterThan(0)
  })

  it.each<[number, RegExp, string[]]>([
    [2, /from 1 to 64/, ['model.onnx', '--weights-bits', '0']],
    [2, /from 1 to 64/, ['model.onnx', '--activation-bits', '8.5']],
    [2, /--plan has all the bits; --weights-bits/, ['model.onnx', '--plan', 'plan.json', '--weights-bits', '8']],
    [1, /no entry "weights" for "stem_relu_out"/, ['model.onnx', '--plan', 'other.json']],
    [1, /"missing\.onnx"/, ['missing.onnx']],
  ])('ends with exit code %d and %s', async (expected, message, parameters) => {
    const empty = { schema: 1, kind: 'dyadic-plan', model: 'other', inputs: {}, tensors: {}, weights: {} }
    const input = { format: 'u8', scale: [1], zeroPoint: [0] }
    writeFileSync(at('other.json'), JSON.stringify({ ...empty, inputs: { image: input } }))
    const { code, stdout, stderr } = await dyadic(folder, ['cost', ...parameters])
    expect([code, stdout]).toEqual([expected, ''])
    expect(stderr).toMatch(message)
  })
})
